package settings

import (
	"slices"
	"strings"
	"testing"
)

func TestACommandGetsTheUsersEnvironmentWithoutOurSecrets(t *testing.T) {
	configured(t, `
forward-secret-env = "CONFIGURED"
[replay]
secret-env = "REPLAYED"
[[forward]]
header-env = ["X-Token=HEADER_ONE"]
[forward2]
header_env = { Authorization = "HEADER_TWO" }
`)
	const hush = "hush"
	secret := []string{
		"ASPECT_WEBHOOK_SECRET=" + hush, "ASPECT_API_KEY=" + hush, "ASPECT_URL=" + hush, "aspect_lower=" + hush, "TUNNEL_TOKEN=" + hush,
		"NAMED=" + hush, "SENT=" + hush, "CONFIGURED=" + hush, "REPLAYED=" + hush, "HEADER_ONE=" + hush, "HEADER_TWO=" + hush,
		"ASPECTOP_JOURNAL=postgres://me:" + hush + "@db/a", "ASPECTOP_FORWARD_TO=http://me:" + hush + "@127.0.0.1/", "ASPECTOP_SSE=https://" + hush + "@sse.example.com",
		"ASPECTOP_TO=http://u:" + hush + "/x@127.0.0.1/",
	}
	users := []string{
		"CHAT_URL=https://me:mine@chat.example.com/x", "KUBECONFIG=/k", "SSH_AUTH_SOCK=/s", "LC_TIME=C", "EMPTY=", "ASPECTOP_SECRET_ENV=SENT",
		"ASPECTOP_RETAIN=30d", "ASPECTOP_PUBLIC_URL=https://hooks.example.com", "MY_ASPECT_THING=1",
	}
	for _, v := range slices.Concat(secret, users) {
		name, value, _ := strings.Cut(v, "=")
		t.Setenv(name, value)
	}
	t.Setenv("PGPASSWORD", "sesame")
	for flag, kept := range map[string]bool{
		"": true, "memory": true, "postgres://me@db/a": false, "postgresql://db/a": false, "postgres://me:other@db/a": true, "postgres://db/a?password=other": true,
	} {
		journal, err := LocationOf(flag)
		if err != nil {
			t.Fatal(err)
		}
		env := ChildEnvironment(journal, "NAMED")
		if slices.Contains(env, "PGPASSWORD=sesame") != kept {
			t.Errorf("--journal %q: PGPASSWORD is kept: %t", flag, !kept)
		}
		if text := strings.Join(env, "\n"); strings.Contains(text, hush) {
			t.Errorf("a secret is in\n%s", text)
		}
		for _, v := range users {
			if !slices.Contains(env, v) {
				t.Errorf("%s is missing", v)
			}
		}
	}
}
