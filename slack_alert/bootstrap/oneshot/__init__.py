"""What a short command needs: requests left for a running program or carried out here, and single runs."""
