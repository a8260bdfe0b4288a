"""The panel's widgets: what they look like and which of the desk's methods they call. They decide nothing.

What ipywidgets alone cannot do, and what is done instead, because no script is put into the markup:

- Nothing tells how far a reader has scrolled, so no count of new messages is shown to one who has scrolled up. The
  place is kept (the pane is filled from below), and the list shows what is unread of the other customers.
- A box has no role. What is new is told to screen readers in a log of its own, which is not seen.
- In JupyterLab the arrow keys and letters are commands of the notebook while a list or a button has the focus. So every
  customer can be reached by a field (the search) and by a button (the next who waits), kinds are chosen by Space, and
  the focus goes into the field when a conversation is opened and when a message was sent.
- A row of the list is plain text: what is unread is a sign in it, and two lines are a matter of the style sheet. When
  rows change, the browser moves the list to the row that is chosen.
- A list is drawn again as a whole, and a row that is pressed meanwhile is not opened. So what others do changes the
  list once a second, and not with each message.
- The button that picks a file shows how many were picked, which is never any: they are taken out at once.
- A picture past some 9 MB is dropped between browser and kernel, and neither is told. So only an empty draft can be
  given one, and the field for a path is beside it.
- The text in a field arrives when the field is left or Enter is pressed: with each key it would cost a message each.
- JupyterLab shows words of its own, "Error displaying widget", where a notebook was saved without the state of its
  widgets. A reader that shows text instead (GitHub, nbviewer) has one sentence that says what to run.
- A refused message is put back into its field, even over words that were begun meanwhile and have not arrived yet.
"""
