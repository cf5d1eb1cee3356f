package config

import (
	"reflect"
	"strings"
	"testing"
)

func TestAPlanKeepsTheDefaultsOfWhatIsLeftOut(t *testing.T) {
	path := file(t, "[plans.pro]\nimage_storage_bytes = 7\nwatermarks = true\n")
	env := []string{"PICORA_PLANS_PRO_IMAGE_UPLOADS_PER_DAY=9", "PICORA_PLANS_PRO_PLUS_IMAGE_STORAGE_BYTES=1_000", "PICORA_PLANS_TRIAL_VIDEO=true"}
	c, err := Load(path, env, nil)
	if err != nil {
		t.Fatal(err)
	}
	want := defaultPlans()
	pro, plus, trial := want["pro"], want["pro_plus"], want["trial"]
	pro.ImageStorageBytes, pro.Watermarks, pro.ImageUploadsPerDay = 7, true, 9
	plus.ImageStorageBytes, trial.Video = 1000, true
	want["pro"], want["pro_plus"], want["trial"] = pro, plus, trial
	if !reflect.DeepEqual(c.Plans, want) {
		t.Errorf("got\n%+v, want\n%+v", c.Plans, want)
	}
}

func TestWhatIsWrongInPlansIsSaid(t *testing.T) {
	for name, c := range map[string]struct{ file, env, want string }{
		"an unknown plan":           {"[plans.gold]\n", "", "plans.gold: there are the plans none, trial, pro, pro_plus"},
		"an unknown limit":          {"[plans.pro]\nimages = 1\n", "", `plans.pro: unknown setting "images"`},
		"a text for a number":       {"[plans.pro]\napi_keys = \"3\"\n", "", "plans.pro.api_keys: a whole number is expected"},
		"a number for a switch":     {"[plans.pro]\nvideo = 1\n", "", "plans.pro.video: true or false is expected"},
		"no section":                {"plans = 3\n", "", "plans: a section for each is expected"},
		"a plan that is no section": {"[plans]\npro = 3\n", "", "plans.pro: there are the plans"},
		"a number below -1":         {"[plans.trial]\ndoc_count = -2\n", "", "plans.trial.doc_count: 0 or more, or -1"},
		"a variable of no plan":     {"", "PICORA_PLANS_GOLD_API_KEYS=1", "PICORA_PLANS_GOLD_API_KEYS: no such setting"},
		"a variable of no number":   {"", "PICORA_PLANS_PRO_API_KEYS=x", `PICORA_PLANS_PRO_API_KEYS: "x" is not a whole number`},
	} {
		_, err := Load(file(t, c.file), []string{c.env}, nil)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
}

func TestEveryLimitCanBeSetByItsName(t *testing.T) {
	names := LimitNames()
	if len(names) != 19 {
		t.Errorf("%d limits: %v", len(names), names)
	}
	var p Plan
	for _, n := range names {
		if !p.SetLimit(n, 5) {
			t.Errorf("%s is unknown", n)
		}
	}
	if p.SetLimit("video", 5) || p.ImageStorageBytes != 5 || p.APIKeys != 5 {
		t.Errorf("%+v", p)
	}
}
