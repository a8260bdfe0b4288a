"""The panel's style sheet: constant, scoped to its own classes, and it loads nothing."""

from wxcs_lite.look.style import MESSAGES, PHONE

__all__ = ["STYLE"]

_WIDGETS = """\
.wxcs {
  --jp-widgets-color: #1f2328; --jp-widgets-label-color: #47505c; --jp-widgets-font-size: 14px;
  --jp-widgets-input-color: #1f2328; --jp-widgets-input-background-color: #fff;
  --jp-widgets-input-border-color: #8b95a1; --jp-widgets-input-focus-border-color: #0a6b3d;
  --jp-widgets-inline-height: 34px; --jp-widgets-inline-label-width: auto; --jp-widgets-margin: 0;
  --jp-ui-font-color1: #1f2328; --jp-content-font-color1: #1f2328; --jp-layout-color1: #fff;
  --jp-layout-color2: #eceff2; --jp-layout-color3: #dfe4e9; --jp-brand-color1: #0a7a45;
  color: #1f2328; font: 14px/1.5 -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial,
    "PingFang SC", "Microsoft YaHei", "WenQuanYi Micro Hei", sans-serif;
  box-sizing: border-box;
}
.wxcs *, .wxcs *::before { box-sizing: border-box; }
.wxcs .widget-html, .wxcs .jupyter-widgets.widget-html { margin: 0; height: auto; overflow: visible; }
.wxcs .widget-html-content { font: inherit; line-height: 1.5; color: #1f2328; width: 100%; overflow-wrap: anywhere; }
.wxcs .widget-label { font: inherit; font-size: 13px; color: #47505c; }
.wxcs :focus-visible { outline: 2px solid #0a6b3d !important; outline-offset: 2px; }

.wxcs .widget-text, .wxcs .widget-textarea {
  flex-direction: column; align-items: stretch; height: auto; width: 100%; margin: 0;
}
.wxcs .widget-text > .widget-label, .wxcs .widget-textarea > .widget-label {
  text-align: left; width: auto; height: auto; line-height: 1.6; margin: 0; padding: 0;
}
.wxcs input[type="text"], .wxcs textarea { border-radius: 8px; padding: 6px 10px; font: inherit; width: 100%; }
.wxcs ::placeholder { color: #68727e; opacity: 1; }
.wxcs .widget-checkbox { width: auto; margin: 0; height: auto; }
.wxcs .widget-checkbox .widget-label-basic { display: flex; align-items: center; gap: 6px; font: inherit; }
.wxcs .jupyter-button {
  border-radius: 8px; height: 34px; line-height: 32px; padding: 0 14px; width: auto; font: inherit; font-weight: 500;
  background: #fff; color: #1f2328; border: 1px solid #b4bcc5; box-shadow: none; margin: 0; overflow: visible;
}
.wxcs .jupyter-button:hover:enabled { background: #f0f3f5; box-shadow: none; }
.wxcs .jupyter-button:disabled { opacity: .55; }
.wxcs .jupyter-button.mod-primary { background: #07713f; color: #fff; border-color: #07713f; }
.wxcs .jupyter-button.mod-primary:hover:enabled { background: #065c34; }
.wxcs .jupyter-button.mod-active { background: #e3f3ea; border-color: #07713f; color: #064d2b; box-shadow: none; }
.wxcs .widget-toggle-buttons { width: auto; margin: 0; height: auto; flex-wrap: wrap; align-items: center; }
.wxcs .widget-toggle-buttons > .widget-label { width: auto; min-width: 0; height: auto; line-height: 1.6; }
.wxcs .widget-toggle-buttons .widget-toggle-button { margin: 2px 4px 2px 0; width: auto; height: 30px;
  line-height: 28px; }
.wxcs .widget-hprogress { width: 100%; height: 22px; }
.wxcs .widget-hprogress > .widget-label { width: auto; margin-right: 10px; }

.wxcs-desk { background: #fff; border: 1px solid #dce1e6; border-radius: 16px; padding: 20px 22px;
  flex: 1 1 460px; min-width: 0; max-width: 760px; gap: 14px; overflow: hidden; }
.wxcs-desk .widget-vbox, .wxcs-desk .widget-box { gap: 10px; overflow: visible; margin: 0; }
.wxcs-desk .wxcs-head { justify-content: space-between; align-items: center; }
.wxcs-desk .wxcs-head .widget-html { flex: 1; }
.wxcs-desk .wxcs-whom { align-items: flex-end; flex-wrap: wrap; }
.wxcs-desk .wxcs-whom .widget-text { flex: 1 1 220px; width: auto; min-width: 0; }
.wxcs-desk .wxcs-whom .widget-html { flex: 0 0 auto; }
.wxcs-desk .wxcs-actions { flex-wrap: wrap; align-items: center; }
.wxcs-h { font-size: 19px; font-weight: 600; letter-spacing: -.01em; }
.wxcs-pill { display: inline-block; padding: 6px 14px; border-radius: 999px; font-size: 13px; font-weight: 500;
  background: #eceff2; color: #3b4450; }
.wxcs-pill.wxcs-open { background: #e3f3ea; color: #064d2b; }
.wxcs-pill.wxcs-closed { background: #fbeaea; color: #8a1f1f; }
.wxcs-log { height: 184px; overflow-y: auto; display: flex; flex-direction: column-reverse; background: #f6f7f9;
  border-radius: 12px; padding: 10px 14px; }
.wxcs-log > div { margin-bottom: auto; }
.wxcs-entry { margin: 6px 0; max-width: 86%; width: fit-content; }
.wxcs-entry.wxcs-out { margin-left: auto; text-align: right; }
.wxcs-meta { font-size: 12px; color: #56606b; }
.wxcs-said { display: inline-block; text-align: left; padding: 5px 11px; border-radius: 10px; background: #fff;
  white-space: pre-wrap; unicode-bidi: isolate; overflow-wrap: anywhere; }
.wxcs-out .wxcs-said { background: #dff2e6; }
.wxcs-said.wxcs-typing, .wxcs-said.wxcs-upload, .wxcs-said.wxcs-download { background: none; color: #56606b;
  font-size: 13px; padding: 0; }
.wxcs-ok { color: #07653a; } .wxcs-bad { color: #a32020; font-weight: 600; }
.wxcs-empty { color: #56606b; padding: 8px 0; }
.wxcs-remarks { font-size: 13px; color: #56606b; } .wxcs-remarks .wxcs-warn { color: #7a4a00; }
.wxcs-status { padding: 8px 12px; border-radius: 10px; background: #f3f5f7; color: #3b4450; }
.wxcs-status.wxcs-good { background: #e3f3ea; color: #064d2b; }
.wxcs-status.wxcs-alert { background: #fbeaea; color: #6f1717; }
.wxcs-status.wxcs-alert strong { display: block; }
.wxcs-note { font-size: 12px; color: #56606b; }
.wxcs-code textarea { font: 12.5px/1.5 ui-monospace, "DejaVu Sans Mono", Menlo, Consolas, monospace;
  background: #f6f7f9; }
.wxcs-look { background: #ededed; border-radius: 12px; padding: 12px 14px; }
.wxcs-seen img { max-width: 180px; max-height: 130px; border-radius: 8px; display: block; }

.wxcs-phone { flex: 0 0 340px; max-width: 100%; gap: 12px; overflow: visible; }
.wxcs-frame .widget-box, .wxcs-frame > * { margin: 0; }
.wxcs-input { flex: 0 0 auto; background: #f6f6f6; border-top: 1px solid #d8d8d8; padding: 6px 12px 14px; gap: 8px;
  align-items: flex-end; overflow: visible; }
.wxcs-input .widget-text { flex: 1 1 auto; min-width: 0; }
.wxcs-hand { background: #fff; border: 1px solid #dce1e6; border-radius: 16px; padding: 14px 16px; gap: 8px;
  overflow: visible; }
.wxcs-hand .widget-hbox { flex-wrap: wrap; gap: 8px; overflow: visible; }
.wxcs-sub { font-weight: 600; }
.wxcs-both { gap: 24px; flex-flow: row wrap; align-items: flex-start; justify-content: center;
  overflow: visible; padding: 4px; }
"""

STYLE = f"<style>\n{_WIDGETS}{PHONE}{MESSAGES}</style>"
