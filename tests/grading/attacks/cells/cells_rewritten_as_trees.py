"""Have IPython drop every call and every assertion from later cells' syntax trees."""

import ast


class Drop(ast.NodeTransformer):
    def visit_Expr(self, node):
        return ast.Pass()

    def visit_Assert(self, node):
        return ast.Pass()

    def visit_For(self, node):
        return ast.Pass()


get_ipython().ast_transformers.append(Drop())
