"""The machine that turns chapters into a web book and into notebooks."""
