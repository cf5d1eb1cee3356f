package mail

import (
	"strings"
	"testing"
	"time"
	"unicode"
)

func TestNoticesAreInBothLanguages(t *testing.T) {
	when := time.Date(2026, 11, 22, 8, 0, 0, 0, time.UTC)
	seen := map[string]bool{}
	for name, of := range map[string]func(lang string) Text{
		"app added": AppAdded, "app removed": AppRemoved, "recovery renewed": RecoveryRenewed, "passkey removed": PasskeyRemoved,
		"claimed": Claimed, "reset": FactorsReset,
		"recovery used": func(l string) Text { return RecoveryUsed(l, 9) },
		"passkey added": func(l string) Text { return PasskeyAdded(l, "phone") }, "passkey refused": func(l string) Text { return PasskeyRefused(l, "phone") },
		"linked": func(l string) Text { return Linked(l, "a@example.org", "Company") }, "key": func(l string) Text { return NewKey(l, "PicGo") },
		"admin": func(l string) Text { return Role(l, true) }, "no admin": func(l string) Text { return Role(l, false) },
		"media storage low": func(l string) Text { return MediaStorageLow(l, "8 GB", "10 GB") }, "media storage full": func(l string) Text { return MediaStorageFull(l, "10 GB", "10 GB") },
		"media did not fit":   func(l string) Text { return MediaDidNotFit(l, "9 GB", "10 GB") },
		"media bandwidth low": func(l string) Text { return MediaBandwidthLow(l, "8 GB", "10 GB", when) }, "media bandwidth full": func(l string) Text { return MediaBandwidthFull(l, "10 GB", "10 GB", when) },
		"video failed": func(l string) Text { return VideoFailed(l, "phone", "No.") }, "video incomplete": func(l string) Text { return VideoIncomplete(l, "phone", "No.") },
		"files damaged": func(l string) Text { return FilesDamaged(l, 1, 2, 3, 4) },
		"storage low":   func(l string) Text { return StorageLow(l, "8 GB", "10 GB") }, "storage full": func(l string) Text { return StorageFull(l, "10 GB", "10 GB") },
		"did not fit":   func(l string) Text { return DidNotFit(l, "9 GB", "10 GB") },
		"bandwidth low": func(l string) Text { return BandwidthLow(l, "8 GB", "10 GB", when) }, "bandwidth full": func(l string) Text { return BandwidthFull(l, "10 GB", "10 GB", when) },
		"locked": func(l string) Text { return Locked(l, "192.0.2.1", when, false) }, "locked, known": func(l string) Text { return Locked(l, "192.0.2.1", when, true) },
	} {
		en, zh := of("en"), of("zh-CN")
		for _, s := range []string{en.Subject, en.Body} {
			if s == "" || han(s) {
				t.Errorf("%s in English: %q", name, s)
			}
		}
		for _, s := range []string{zh.Subject, zh.Body} {
			if !han(s) {
				t.Errorf("%s in Chinese: %q", name, s)
			}
		}
		for _, s := range []string{"phone", "a@example.org", "Company", "PicGo", "10 GB", "192.0.2.1", "08:00"} {
			if strings.Contains(en.Body, s) != strings.Contains(zh.Body, s) {
				t.Errorf("%s: only one language says %q", name, s)
			}
		}
		if seen[en.Subject] || seen[zh.Subject] {
			t.Errorf("%s has the title of another", name)
		}
		seen[en.Subject], seen[zh.Subject] = true, true
	}
}

func han(s string) bool {
	return strings.ContainsFunc(s, func(r rune) bool { return unicode.Is(unicode.Han, r) })
}

func TestWhoGuessesCodesKnowsThePassword(t *testing.T) {
	if s := Locked("en", "192.0.2.1", time.Now(), true); !strings.Contains(s.Body, "right password") || !strings.Contains(s.Body, "change your password") {
		t.Errorf("%+v", s)
	}
	if s := Locked("zh-CN", "192.0.2.1", time.Now(), true); !strings.Contains(s.Body, "修改密码") {
		t.Errorf("%+v", s)
	}
}
