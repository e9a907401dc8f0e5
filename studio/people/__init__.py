"""Who may do what: accounts, invitations, sessions, roles."""
