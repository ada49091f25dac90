"""Declarations of the fields that headers and the record give, one file a part of the packet. The registry gathers them."""
