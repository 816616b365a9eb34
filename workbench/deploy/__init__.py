"""Files that leave the workbench: the zip to deploy, with plain code that loads and runs the model."""
