"""Calls that locators answer, and not the index: times finer than a second, a packet's number, the time since a capture began.

Each is a function (index, call) -> call, see proxy.resolve. Of batches that lie wholly within nothing is read."""
