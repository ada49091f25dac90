"""Names of numbers, from the registries that assign them (IANA, IEEE): the labels of enumerated fields."""
