"""What people define by a type and its configuration: how it is checked, kept secret, and typed into a form."""
