"""What happens around every request, whatever view answers it. None of these reads a body."""
