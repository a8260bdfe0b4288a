"""The style sheet of a message: it is scoped to its own classes and loads nothing."""

__all__ = ["MESSAGES"]

MESSAGES = """\
.wxcs-row { display: flex; flex-direction: column; align-items: flex-start; margin: 9px 0; }
.wxcs-row.wxcs-mine { align-items: flex-end; }
.wxcs-bubble { position: relative; background: #fff; border-radius: 9px; max-width: 84%; unicode-bidi: isolate;
  overflow-wrap: anywhere; font-size: 15px; line-height: 1.45; color: #111; }
.wxcs-text { padding: 8px 12px; white-space: pre-wrap; }
.wxcs-text::before { content: ""; position: absolute; top: 12px; left: -4px; width: 9px; height: 9px;
  background: inherit;  transform: rotate(45deg); border-radius: 1px; }
.wxcs-mine .wxcs-text { background: #95ec69; } .wxcs-mine .wxcs-text::before { left: auto; right: -4px; }
.wxcs-image { overflow: hidden; background: none; }
.wxcs-image .wxcs-photo { display: block; max-width: 190px; max-height: 210px; border-radius: 9px; min-width: 96px;
  object-fit: contain; }
.wxcs-nopic { display: block; padding: 18px 16px; background: #dfe3e7; color: #3b4450; font-size: 13px;
  border-radius: 9px; }
.wxcs-link, .wxcs-card { width: 238px; padding: 11px 13px 7px; }
.wxcs-title { display: block; font-weight: 500; color: #111; text-decoration: none; }
a.wxcs-title:hover { text-decoration: underline; }
.wxcs-body { display: flex; gap: 10px; margin: 5px 0 8px; }
.wxcs-desc { flex: 1; font-size: 13px; color: #565e68; max-height: 58px; overflow: hidden; }
.wxcs-thumb { flex: 0 0 46px; height: 46px; display: grid; place-items: center; background: #e8edf3; color: #4c6787;
  border-radius: 4px; }
.wxcs-foot { border-top: 1px solid #ececec; padding-top: 5px; font-size: 12px; color: #5b636d; }
.wxcs-foot svg { vertical-align: -2px; margin-right: 4px; color: #4a5fc1; }
.wxcs-cover { margin: 7px 0 9px; }
.wxcs-cover .wxcs-photo { width: 100%; max-height: 170px; object-fit: cover; display: block; }
.wxcs-raw { padding: 8px 12px; font: 12px/1.45 ui-monospace, "DejaVu Sans Mono", monospace; white-space: pre-wrap;
  margin: 0; }
.wxcs-ai, .wxcs-line { font-size: 12px; color: #5b636d; margin-top: 4px; }
.wxcs-line { text-align: center; margin: 10px 0 4px; }
"""
