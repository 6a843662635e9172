"""Register functions that run before and after each cell, and forget its error."""

shell = get_ipython()


def forgive(result):
    result.error_in_exec = result.error_before_exec = None


shell.events.register("post_run_cell", forgive)
shell.events.register("pre_run_cell", lambda info: setattr(info, "raw_cell", "pass"))
