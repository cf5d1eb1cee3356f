package app_test

import (
	"bytes"
	"encoding/json"
	"io"
	"os/exec"
	"strings"
	"testing"
)

// layers is which packages may import which: only those of lower layers. A new
// package must be put here, which is the moment to think where it belongs.
var layers = map[string]int{
	"media": 0, "store/kv": 1, "store/words": 1, "store/blob": 1, "app/config": 1,
	"media/strip": 2, "media/svg": 3,
	"media/hls": 1, "media/hls/check": 2, "media/markdown": 1, "media/prose": 1, "media/pdf": 1,
	"media/wall": 1, "media/worker/wire": 2, "media/worker": 3, "media/worker/child": 3,
	"media/av": 3, "media/jpeg": 2, "media/webp": 2, "media/icc": 1, "media/letters": 1, "media/picture": 4, "media/probe": 4, "media/tags": 1, "media/tone": 0, "media/captions": 2, "media/sound": 5, "media/video": 5, "store": 2, "store/cache": 1,
	"store/kv/boltkv": 2, "store/kv/memkv": 2, "store/kv/kvtest": 2, "store/blob/disk": 2, "store/blob/s3": 2, "store/blob/hot": 3, "store/blob/move": 2, "store/blob/blobtest": 2,
	"app/byterange": 0, "app/saveas": 0, "app/fault": 3, "app/link": 3, "app/settings": 3, "app/mail": 3,
	"app/auth": 4, "app/limit": 4, "app/usage": 4, "app/notice": 4, "app/fetch": 4, "app/storage": 4,
	"app/library": 5,
	"app/scrub":   6, "app/control": 7,
	"app/access": 6, "app/api": 7, "app/cdn": 7, "app/pages": 7, "app/dashboard": 7, "app/jobs": 7,
	"app/server":  8,
	"app":         9,
	"app/cli":     10,
	"app/apptest": 10, "app/apptest/browser": 10, "app/apptest/corpus": 10,
	"": 11, // main
}

// owners are the packages that alone may import a technology. The surfaces, which
// share Fiber, are listed apart.
var owners = map[string][]string{
	"go.etcd.io/bbolt":                  {"store/kv/boltkv"},
	"github.com/tidwall/btree":          {"store/kv/memkv"},
	"github.com/minio/minio-go":         {"store/blob/s3"},
	"github.com/gofiber/fiber":          {"app/access", "app/api", "app/cdn", "app/pages", "app/dashboard", "app/server"},
	"github.com/valyala/fasthttp":       {"app/cdn", "app/server"},
	"github.com/spf13/cobra":            {"app/cli"},
	"github.com/pelletier/go-toml":      {"app/config"},
	"github.com/prometheus":             {"app/server"},
	"github.com/maypok86/otter":         {"app/cdn"},
	"github.com/hashicorp/golang-lru":   {"app/limit"},
	"golang.org/x/time":                 {"app/limit"},
	"code.dny.dev/ssrf":                 {"app/fetch"},
	"golang.org/x/text":                 {"store/words", "media/pdf", "media/tags"},
	"github.com/tinylib/msgp":           {"store"},
	"github.com/golang-jwt/jwt":         {"app/auth"},
	"github.com/wneessen/go-mail":       {"app/mail"},
	"github.com/emersion":               {"app/apptest"},
	"golang.org/x/crypto/argon2":        {"app/auth"},
	"github.com/pquerna/otp":            {"app/auth"},
	"github.com/go-webauthn/webauthn":   {"app/auth"},
	"github.com/coreos/go-oidc":         {"app/auth"},
	"golang.org/x/oauth2":               {"app/auth"},
	"github.com/santhosh-tekuri":        {"app/apptest"},
	"go.yaml.in/yaml":                   {"app/apptest", "media/markdown"},
	"golang.org/x/sys":                  {"app/server", "store/blob/disk", "store/kv/boltkv", "media/wall", "media/worker", "media/worker/wire", "media/worker/child", "media/picture"},
	"github.com/asticode/go-astiav":     {"media/av"},
	"github.com/dhowden/tag":            {"media/tags"},
	"github.com/landlock-lsm":           {"media/wall"},
	"github.com/elastic/go-seccomp-bpf": {"media/wall"},
	"github.com/disintegration/imaging": {"media/picture"},
	"github.com/galdor/go-thumbhash":    {"media/picture"},
	"github.com/bbrks/go-blurhash":      {"media/picture"},
	"golang.org/x/image/font":           {"media/letters"},
	"github.com/chromedp":               {"app/apptest/browser"},
	"github.com/klippa-app":             {"media/pdf"},
	"github.com/tetratelabs":            {"media/pdf"},
	"github.com/yuin/goldmark":          {"media/markdown", "media/prose", "app/dashboard"},
	"github.com/microcosm-cc":           {"media/prose"},
	"golang.org/x/net/html":             {"media/markdown", "media/prose"},
	"github.com/goccy/go-json":          {"app/api", "app/server"},
}

func TestImportsGoOneWay(t *testing.T) {
	for _, p := range packages(t) {
		layer, known := layers[p.name]
		if !known {
			t.Errorf("package %q is in no layer", p.name)
		}
		for _, i := range p.Imports {
			if own, ours := strings.CutPrefix(i, "picora/"); ours {
				if layers[own] >= layer && !sibling(p.name, own) {
					t.Errorf("%s (layer %d) must not import %s (layer %d)", p.name, layer, own, layers[own])
				}
				continue
			}
			for tech, who := range owners {
				if strings.HasPrefix(i, tech) && !contains(who, p.name) {
					t.Errorf("%s must not import %s: it belongs to %v", p.name, i, who)
				}
			}
		}
	}
}

// needsC are the packages that link C. Only the command line may import them, for the
// worker: everything else compiles and is tested without.
var needsC = []string{"media/av", "media/jpeg", "media/webp", "media/icc", "media/picture", "media/probe", "media/sound", "media/video"}

func TestTheServerLinksNoC(t *testing.T) {
	found := 0
	for _, p := range packages(t) {
		for _, i := range p.Imports {
			own, ours := strings.CutPrefix(i, "picora/")
			if !ours || !contains(needsC, own) {
				continue
			}
			if found++; p.name != "app/cli" && !contains(needsC, p.name) {
				t.Errorf("%s must not import %s", p.name, own)
			}
		}
	}
	if found == 0 {
		t.Error("nobody imports what needs C")
	}
}

// sibling lets a package import the seam that it implements, in the same layer.
func sibling(p, own string) bool { return strings.HasPrefix(p, own+"/") }

type pkg struct {
	name       string
	ImportPath string
	Imports    []string
}

func packages(t *testing.T) (list []pkg) {
	t.Helper()
	cmd := exec.Command("go", "list", "-json=ImportPath,Imports", "picora/...")
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	for d := json.NewDecoder(bytes.NewReader(out)); ; {
		var p pkg
		if err := d.Decode(&p); err == io.EOF {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		p.name = strings.TrimPrefix(strings.TrimPrefix(p.ImportPath, "picora"), "/")
		list = append(list, p)
	}
	if len(list) < 10 {
		t.Fatalf("only %d packages found", len(list))
	}
	return list
}

func contains(list []string, s string) bool {
	for _, l := range list {
		if l == s {
			return true
		}
	}
	return false
}
