"""Replace the methods with which IPython runs a cell."""

shell = get_ipython()
for kind in type(shell).__mro__:
    for name in ("run_cell", "run_code", "run_ast_nodes", "run_cell_async"):
        if name in vars(kind):
            setattr(kind, name, lambda *values, **options: None)
