"""What a training method can be told, and what a run is: shared by the form, the command line and the trainers."""
