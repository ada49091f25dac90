"""Faults at random moments (`script/faults`): whatever is killed, the index equals that of an undisturbed run."""
