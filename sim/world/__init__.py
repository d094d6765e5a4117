"""What firms find: places, sectors, chains, demand, and the conditions of a quarter."""
