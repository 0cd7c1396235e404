"""The weekly page: what happened, what we learned, what we do, did it help. One file, fit to be sent by mail."""
