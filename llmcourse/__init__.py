"""A course on large language models, as a package: every part that the chapters show and the exercises use."""
