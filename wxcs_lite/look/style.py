"""The style sheets of a message and of the phone: scoped to their own classes, and they load nothing."""

__all__ = ["MESSAGES", "PHONE"]

# The rule for a:link: JupyterLab colours links for its own ground, and a card is white in dark themes, too.
PHONE = """\
.wxcs-still, .wxcs-still * { box-sizing: border-box; }
.wxcs-still { width: 340px; max-width: 100%; color: #1f2328; font: 14px/1.5 -apple-system, "Segoe UI", Roboto,
  "Helvetica Neue", Arial, "PingFang SC", "Microsoft YaHei", "WenQuanYi Micro Hei", sans-serif; }
.wxcs-frame { display: flex; flex-direction: column; background: #ededed; border: 9px solid #15181c;
  border-radius: 38px; height: 600px; overflow: hidden; gap: 0; box-shadow: 0 12px 30px rgba(20, 28, 38, .18); }
.wxcs-still .wxcs-frame { height: auto; min-height: 240px; max-height: 560px; box-shadow: none;
  border-color: #30363d; }
.wxcs-still a.wxcs-title:link, .wxcs-still a.wxcs-title:visited { color: #111; }
.wxcs-top { flex: 0 0 auto; text-align: center; border-bottom: 1px solid #d8d8d8; padding: 8px 14px 9px; }
.wxcs-bar { display: flex; justify-content: space-between; gap: 12px; font-size: 12px; color: #3b4450;
  padding: 0 8px; overflow-wrap: anywhere; text-align: left; }
.wxcs-bar span:last-child { flex: none; }
.wxcs-who { font-weight: 600; font-size: 16px; }
.wxcs-screen { display: flex; flex: 1 1 auto; min-height: 0; overflow-y: auto; overflow-x: hidden;
  flex-direction: column-reverse; padding: 0 12px; scrollbar-width: thin; }
.wxcs-talk { flex: 0 0 auto; margin-bottom: auto !important; padding: 8px 0 12px; overflow: visible; }
"""

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
.wxcs-image .wxcs-photo { display: block; max-width: 190px; max-height: 210px; border-radius: 9px; min-width: 96px; }
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
