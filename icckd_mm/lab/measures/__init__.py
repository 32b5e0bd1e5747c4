"""What is measured of a trained network; part of the version of the code that names a run."""
