"""Handle every exception of later cells oneself, by doing nothing."""

shell = get_ipython()
shell.set_custom_exc((BaseException,), lambda self, kind, value, trace, tb_offset=None: [])
shell.showtraceback = lambda *values, **options: None
type(shell).showtraceback = type(shell)._showtraceback = lambda *values, **options: None
