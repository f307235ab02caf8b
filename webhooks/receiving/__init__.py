"""A request comes in: it is read, believed or not, stored with its run, and answered."""
