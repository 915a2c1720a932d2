"""The canvas screen: binds the editor and debugger of `ui/canvas` to a workspace."""
