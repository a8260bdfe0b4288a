"""The panel's style sheet, style.css beside this file, together with that of the messages; it loads nothing."""

from importlib.resources import files

from wxcs_lite.look.style import MESSAGES, PHONE

__all__ = ["STYLE"]

_PANEL = files("wxcs_lite.panel").joinpath("style.css").read_text("utf-8")
STYLE = f"<style>\n{PHONE}{MESSAGES}{_PANEL}</style>"
