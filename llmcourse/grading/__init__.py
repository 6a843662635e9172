"""The instructor's side: from solutions to releases, and from a class's files to scores."""
