"""What the lessons teach: one file a lesson, named as the notebook, with its text."""
