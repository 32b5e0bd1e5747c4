"""What plugs into mmengine's runner."""
