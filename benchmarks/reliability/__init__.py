"""Faults under load (`script/reliability`): nobody gets a wrong answer, and no packet is lost or comes twice."""
