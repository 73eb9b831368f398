package tunnel

const hostJob = "TUNNEL_TEST_HOST"

func hostUntilKilled(string) {}
