"""What a live session is made of: verbs, time, groups of sounds, and a journal of all that happened."""
