"""Virtual agents: a trained taste for one situated musical action, with a verdict for every sound.

Judging needs numpy alone; scikit-learn loads when an agent is trained.
"""
