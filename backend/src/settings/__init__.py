"""What the values of single settings must look like. config.py reads them and names the variable."""
