"""What each `llmcourse` command does; `llmcourse.cli` only names them and their options."""
