package cli_test

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"picora/app/apptest"
)

// run is a command on the data folder that must end with the status.
func run(t *testing.T, data, stdin string, status int, args ...string) apptest.Output {
	t.Helper()
	o := apptest.Run(t, stdin, append(args, "--data", data)...)
	if o.Status != status {
		t.Fatalf("picora %s ended with %d, not %d\nstdout: %s\nstderr: %s", strings.Join(args, " "), o.Status, status, o.Stdout, o.Stderr)
	}
	return o
}

// contains complains about each of the texts that s lacks.
func contains(t *testing.T, what, s string, texts ...string) {
	t.Helper()
	for _, text := range texts {
		if !strings.Contains(s, text) {
			t.Errorf("%s does not say %q:\n%s", what, text, s)
		}
	}
}

func TestEveryCommandExplainsItself(t *testing.T) {
	shared := []string{"Usage:", "--config", "--data", "--help"}
	tests := []struct {
		command string
		says    []string
	}{
		{"", []string{"picora serve", "picora user add", "picora key add", "config.example.toml", "Available Commands", "version"}},
		{"serve", []string{"Examples:", "--listen", "SIGTERM", "picora.db"}},
		{"user", []string{"Available Commands", "add", "list"}},
		{"user add", []string{"Examples:", "EMAIL", "--admin", "--password-stdin", "--plan", "--unlimited"}},
		{"user list", nil},
		{"recount", []string{"Examples:", "--user", "three"}},
		{"scrub", []string{"Examples:", "--repair", "30 more days"}},
		{"user password", []string{"Examples:", "EMAIL", "--password-stdin", "sessions"}},
		{"session-key", []string{"Available Commands", "rotate"}},
		{"session-key rotate", []string{"Nobody is signed out"}},
		{"key", []string{"Available Commands", "add", "list", "revoke"}},
		{"key add", []string{"Examples:", "--user", "--name", "--scope", "read_write_delete", "media.write"}},
		{"key list", []string{"--user"}},
		{"key revoke", []string{"Examples:", "first 12 characters"}},
		{"version", nil},
		{"blobs", []string{"Available Commands", "copy", "status", "cancel", "use"}},
		{"blobs copy", []string{"Examples:", "--to", "--dry-run", "s3://", "disk:", "Ctrl-C"}},
		{"blobs status", nil},
		{"blobs cancel", []string{"moved back"}},
		{"blobs use", []string{"Examples:", "Nothing is copied"}},
		{"doctor", []string{"workers", "status 0"}},
	}
	for _, test := range tests {
		args := append(strings.Fields(test.command), "--help")
		o := apptest.Run(t, "", args...)
		if o.Status != 0 || o.Stderr != "" {
			t.Errorf("%q: status %d, stderr %q", args, o.Status, o.Stderr)
		}
		contains(t, "picora "+strings.Join(args, " "), o.Stdout, append(shared, test.says...)...)
	}
	if alone, help := apptest.Run(t, ""), apptest.Run(t, "", "--help"); alone != help {
		t.Errorf("picora alone: %+v", alone)
	}
	if o := apptest.Run(t, "", "version"); o.Status != 0 || !regexp.MustCompile(`^picora \S+ \(go1\.\d+.*\)\nFFmpeg 7\.1\S*\n  --prefix=/picora .*--enable-libx264`).MatchString(o.Stdout) {
		t.Errorf("version: %+v", o)
	}
}

func TestWrongCallsEndWith2AndSayWhereHelpIs(t *testing.T) {
	data := filepath.Join(t.TempDir(), "data")
	for _, args := range [][]string{
		{"serve", "--port", "80"},
		{"serve", "now"},
		{"--verbose"},
		{"user"},
		{"user", "remove", "a@example.org"},
		{"user", "add"},
		{"user", "add", "a@example.org", "b@example.org"},
		{"user", "list", "all"},
		{"key"},
		{"key", "add"},
		{"key", "add", "--user", "a@example.org"},
		{"key", "add", "--name", "PicGo"},
		{"key", "add", "--user"},
		{"key", "add", "PicGo"},
		{"key", "revoke"},
		{"key", "revoke", ""},
		{"key", "revoke", "one", "two"},
		{"version", "1"},
		{"blobs"},
		{"blobs", "copy"},
		{"blobs", "copy", "s3://bucket"},
		{"blobs", "use"},
		{"start"},
	} {
		o := apptest.Run(t, "", append(args, "--data", data)...)
		if o.Status != 2 || o.Stdout != "" || !strings.Contains(o.Stderr, "--help") {
			t.Errorf("picora %s: %+v", strings.Join(args, " "), o)
		}
	}
	if _, err := os.Stat(data); err == nil {
		t.Error("a wrong call made the data folder")
	}
}

func TestBadSettingsEndWith2AndAreAllListed(t *testing.T) {
	data := filepath.Join(t.TempDir(), "data")
	config := filepath.Join(t.TempDir(), "picora.toml")
	text := "[server]\nbase_url = \"pics.example.org\"\nlisten = 3102\n[log]\ncolour = true\nlevel = \"loud\"\n"
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, command := range [][]string{{"serve"}, {"user", "list"}, {"key", "list"}} {
		o := run(t, data, "", 2, append(command, "--config", config)...)
		contains(t, "the error", o.Stderr, config+": line 3: server.listen", `line 5: unknown setting "log.colour"`, "server.base_url", "log.level")
		if strings.Contains(o.Stderr, "panic") || o.Stdout != "" {
			t.Errorf("%v: %+v", command, o)
		}
	}
	o := run(t, data, "", 2, "serve", "--config", config+".not")
	contains(t, "the error", o.Stderr, "no such file", "config.example.toml")
	o = run(t, data, "", 2, "serve", "--listen", "80")
	contains(t, "the error", o.Stderr, "server.listen")
	if _, err := os.Stat(data); err == nil {
		t.Error("bad settings made the data folder")
	}
}

// modes runs fn without a server and through one.
func modes(t *testing.T, fn func(t *testing.T, data string)) {
	t.Run("while no server runs", func(t *testing.T) {
		p := apptest.Serve(t, filepath.Join(t.TempDir(), "data"))
		p.Terminate()
		fn(t, p.Data)
	})
	t.Run("while a server runs", func(t *testing.T) { fn(t, apptest.Serve(t, filepath.Join(t.TempDir(), "data")).Data) })
}

func TestOnlySomeCommandsMakeTheDataFolder(t *testing.T) {
	parent := t.TempDir()
	missing, empty := filepath.Join(parent, "missing"), t.TempDir()
	for _, command := range []string{"user list", "key list", "scrub", "key revoke sk_live_ab12", "key add --user a@example.org --name x"} {
		for _, data := range []string{missing, empty} {
			o := run(t, data, "", 1, strings.Fields(command)...)
			if o.Stderr != "picora: there is no Picora in "+data+" (see --data)\n" || o.Stdout != "" {
				t.Errorf("%s: %+v", command, o)
			}
		}
	}
	for _, dir := range []string{parent, empty} {
		if files, err := os.ReadDir(dir); err != nil || len(files) != 0 {
			t.Errorf("these were made: %v, %v", files, err)
		}
	}
	run(t, missing, "", 0, "user", "add", "a@example.org")
	run(t, missing, "", 0, "user", "list")
}

func TestAccountsAreMadeAndListed(t *testing.T) {
	modes(t, func(t *testing.T, data string) {
		o := run(t, data, "", 0, "user", "list")
		contains(t, "the empty list's hint", o.Stderr, "picora user add")
		if o.Stdout != "" {
			t.Errorf("the empty list printed %q", o.Stdout)
		}
		o = run(t, data, "", 0, "user", "add", "Zoe@example.org")
		if !regexp.MustCompile(`^\S{21}\n$`).MatchString(o.Stdout) {
			t.Errorf("user add printed %q, not an id", o.Stdout)
		}
		zoe := strings.TrimSpace(o.Stdout)
		contains(t, "the hint", o.Stderr, "picora key add --user Zoe@example.org")
		contains(t, "the hint", o.Stderr, "picora user password Zoe@example.org --password-stdin")
		o = run(t, data, "a good password\nand a line that is not read", 0, "user", "add", "amy@example.org", "--admin", "--password-stdin")
		if strings.Contains(o.Stderr, "no password") {
			t.Errorf("who has a password is told %q", o.Stderr)
		}

		for _, again := range []string{"Zoe@example.org", "zoe@EXAMPLE.org"} {
			o = run(t, data, "", 1, "user", "add", again)
			contains(t, "the error", o.Stderr, "There is a user "+again+" already.")
		}
		for _, bad := range []string{"zoe", "zoe@", "@example.org", "Zoe <zoe@example.org>", "a@b@c", "", "zoe@example.org, amy@example.org", strings.Repeat("a", 250) + "@example.org"} {
			o = run(t, data, "", 1, "user", "add", bad)
			contains(t, "the error", o.Stderr, "is not an e-mail address")
		}
		o = run(t, data, "short\n", 1, "user", "add", "bob@example.org", "--password-stdin")
		contains(t, "the error", o.Stderr, "A password has 8 to 64 characters.")
		o = run(t, data, strings.Repeat("x", 65), 1, "user", "add", "bob@example.org", "--password-stdin")
		contains(t, "the error", o.Stderr, "A password has 8 to 64 characters.")
		o = run(t, data, "", 2, "user", "add", "bob@example.org", "--password-stdin")
		contains(t, "the error", o.Stderr, "no password came on standard input")

		lines := strings.Split(strings.TrimSpace(run(t, data, "", 0, "user", "list").Stdout), "\n")
		if len(lines) != 3 {
			t.Fatalf("the list has %d lines, not 3: %q", len(lines), lines)
		}
		for i, words := range [][]string{{"EMAIL", "ROLE", "PLAN", "CREATED", "ID"}, {"amy@example.org", "admin", "unlimited"}, {"Zoe@example.org", "user", "pro"}} {
			if f := strings.Fields(lines[i]); len(f) != 5 || !slices.Equal(f[:len(words)], words) {
				t.Errorf("line %d is %q", i, lines[i])
			}
		}
		if !strings.HasSuffix(lines[2], " "+zoe) {
			t.Errorf("the list names another id than %s: %q", zoe, lines[2])
		}
	})
}

var plainKey = regexp.MustCompile(`^sk_live_[0-9A-Za-z_-]{32}\n$`)

func TestKeysAreMadeListedAndRevoked(t *testing.T) {
	modes(t, func(t *testing.T, data string) {
		run(t, data, "", 0, "user", "add", "amy@example.org")
		run(t, data, "", 0, "user", "add", "zoe@example.org")
		o := run(t, data, "", 0, "key", "list")
		if contains(t, "the empty list's hint", o.Stderr, "picora key add"); o.Stdout != "" {
			t.Errorf("the empty list printed %q", o.Stdout)
		}
		add := func(args ...string) string {
			t.Helper()
			o := run(t, data, "", 0, append([]string{"key", "add"}, args...)...)
			if !plainKey.MatchString(o.Stdout) {
				t.Fatalf("key add printed %q, not one key", o.Stdout)
			}
			if strings.Contains(o.Stderr, "sk_live_") {
				t.Errorf("the hint gives the key away: %q", o.Stderr)
			}
			return strings.TrimSpace(o.Stdout)
		}
		first := add("--user", "AMY@example.org", "--name", "PicGo")
		second := add("--user", "zoe@example.org", "--name", "图床, read only", "--scope", "read")
		third := add("--user", "zoe@example.org", "--name", "one", "--scope", "media.read,media.write", "--scope", "media.delete")
		soon := time.Now().AddDate(0, 0, 90).Format(time.DateOnly)
		fourth := add("--user", "zoe@example.org", "--name", "guest", "--expires", "90d")
		add("--user", "zoe@example.org", "--name", "guest", "--expires", "2099-01-01")
		for _, wrong := range []string{"90", "0d", "-3d", "tomorrow", "2020-01-01", "2027-13-01", "99999999d"} {
			contains(t, "the error about "+wrong, run(t, data, "", 2, "key", "add", "--user", "zoe@example.org", "--name", "x", "--expires", wrong).Stderr, "--expires")
		}
		expiring := run(t, data, "", 0, "key", "list").Stdout
		contains(t, "the list", expiring, "EXPIRES", "USED", " "+soon+" ", " 2099-01-01 ")
		for _, line := range strings.Split(strings.TrimSpace(expiring), "\n")[1:] {
			if strings.Contains(line, "guest") {
				run(t, data, "", 0, "key", "revoke", line[strings.LastIndex(line, " ")+1:])
			}
		}
		if first == second || second == third || third == fourth {
			t.Fatal("two keys are equal")
		}

		for _, test := range []struct {
			args []string
			says []string
		}{
			{[]string{"--user", "bob@example.org", "--name", "x"}, []string{`There is no user "bob@example.org"`, "picora user list"}},
			{[]string{"--user", "amy@example.org", "--name", "x", "--scope", "root"}, []string{`There is no scope "root"`, "read_write_delete", "media.read", "media.write", "media.delete", "kb.read", "kb.write", "account.read", "usage.read"}},
			{[]string{"--user", "amy@example.org", "--name", strings.Repeat("长", 65)}, []string{"1 to 64 characters"}},
		} {
			o := run(t, data, "", 1, append([]string{"key", "add"}, test.args...)...)
			contains(t, "the error", o.Stderr, test.says...)
			if o.Stdout != "" {
				t.Errorf("an error printed %q", o.Stdout)
			}
		}

		all := run(t, data, "", 0, "key", "list").Stdout
		lines := strings.Split(strings.TrimSpace(all), "\n")
		if len(lines) != 6 || strings.Contains(all, first) {
			t.Fatalf("the list is\n%s", all)
		}
		contains(t, "the list", lines[1], first[:12]+"…"+first[36:], "PicGo", "amy@example.org", "read_write_delete", "never", "valid")
		contains(t, "the list", all, "图床, read only", "media.read,media.write,media.delete")
		if one := run(t, data, "", 0, "key", "list", "--user", "amy@example.org").Stdout; strings.Count(one, "\n") != 2 || !strings.Contains(one, first[:12]) {
			t.Errorf("amy's list is\n%s", one)
		}
		contains(t, "the error", run(t, data, "", 1, "key", "list", "--user", "bob@example.org").Stderr, "There is no user")

		id := lines[1][strings.LastIndex(lines[1], " ")+1:]
		contains(t, "the answer", run(t, data, "", 0, "key", "revoke", id).Stderr, `Revoked the key "PicGo" of amy@example.org.`)
		contains(t, "the answer", run(t, data, "", 0, "key", "revoke", second[:12]).Stderr, `Revoked the key "图床, read only"`)
		run(t, data, "", 0, "key", "revoke", id) // once more harms nobody
		for _, bad := range []string{"sk_live_", "sk_live_0000", "nothing", "../users", "a/b", "%"} {
			contains(t, "the error about "+bad, run(t, data, "", 1, "key", "revoke", bad).Stderr, "There is no key")
		}
		lines = strings.Split(strings.TrimSpace(run(t, data, "", 0, "key", "list").Stdout), "\n")
		for _, line := range lines[1:] {
			if want := !strings.Contains(line, third[:12]); strings.Contains(line, "revoked 20") != want {
				t.Errorf("revoked should be %v: %q", want, line)
			}
		}
	})
}

func TestSecretsAreNotInTheDatabase(t *testing.T) {
	data := filepath.Join(t.TempDir(), "data")
	run(t, data, "correct horse battery", 0, "user", "add", "amy@example.org", "--password-stdin")
	key := strings.TrimSpace(run(t, data, "", 0, "key", "add", "--user", "amy@example.org", "--name", "x").Stdout)
	b, err := os.ReadFile(filepath.Join(data, "picora.db"))
	if err != nil {
		t.Fatal(err)
	}
	contains(t, "the database", string(b), "amy@example.org", "$argon2id$")
	for _, secret := range []string{"correct horse", key, key[12:36]} {
		if strings.Contains(string(b), secret) {
			t.Errorf("the database holds %q", secret)
		}
	}
}
