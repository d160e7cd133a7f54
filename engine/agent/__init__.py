"""Virtual agents: a trained taste for one situated musical action, with a verdict for every sound.

Judging needs numpy alone for classifiers that keep arrays; scikit-learn loads when an agent is trained, or one judged
whose classifier is fitted anew.
"""
