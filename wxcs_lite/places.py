"""Where an error came from, in names only, because a source line or a path may contain what should not be shown."""

__all__ = ["places"]

_SHOWN = 5


def places(error: BaseException, without: str = "") -> str:
    """Return module, line and function of the last frames that an error went through; "" if it has none.

    >>> try:
    ...     {}["missing"]
    ... except KeyError as e:
    ...     places(e).rpartition(":")[2]
    '<module>'

    `without` names a module whose frames are left out.
    """
    found, at = [], error.__traceback__
    while at is not None:
        module = at.tb_frame.f_globals.get("__name__", "?")
        if module != without:
            found.append(f"{module}:{at.tb_lineno}:{at.tb_frame.f_code.co_qualname}")
        at = at.tb_next
    return " > ".join(found[-_SHOWN:])
