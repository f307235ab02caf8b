"""The control panel's frame: navigation, overview, workspaces and applications. Each app brings its own pages."""
