"""A long live capture whose ring turns (`script/soak`): that nothing is lost, and that nothing grows."""
