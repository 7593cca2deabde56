"""A complete task in one folder: ``unseat run examples.tiny_task.task:SpinThenBlock``."""
