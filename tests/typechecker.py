"""The checker of annotations that pytest puts around every tensor function."""

from beartype import BeartypeConf, beartype

# an int is welcome where a float is asked for, as Python's own typing rules have it
check = beartype(conf=BeartypeConf(is_pep484_tower=True))
