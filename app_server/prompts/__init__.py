"""The words the model is given: instructions, facts about where it works, project documents."""
