"""From a trained model to a small and fast one."""
