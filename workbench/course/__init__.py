"""What a learner does in a lesson: predictions, checks, a decision; and how lessons become notebooks."""
