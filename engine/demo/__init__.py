"""The main job in one go, on whatever sounds are at hand."""
