"""Trials: does an agent help? The same query with it and without, judged by a listener or by a rule."""
