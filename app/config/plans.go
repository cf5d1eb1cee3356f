package config

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
)

// PlanNames are the plans that there are, from the smallest to the largest. Clients
// know these words.
var PlanNames = []string{"none", "trial", "pro", "pro_plus"}

// Plan is what an account may have. A limit of -1 is none at all.
type Plan struct {
	// ImageStorageBytes is the room for pictures, counted as they were uploaded.
	ImageStorageBytes int64 `toml:"image_storage_bytes"`
	// ImageUploadsPerDay and the next are counted by UTC days and calendar months.
	ImageUploadsPerDay   int64 `toml:"image_uploads_per_day"`
	ImageUploadsPerMonth int64 `toml:"image_uploads_per_month"`
	// ImageBandwidthBytes is what may be served in a calendar month before no more
	// is taken in. Links never stop working.
	ImageBandwidthBytes int64 `toml:"image_bandwidth_bytes"`

	// MediaStorageBytes is the room for audio and video together.
	MediaStorageBytes   int64 `toml:"media_storage_bytes"`
	MediaBandwidthBytes int64 `toml:"media_bandwidth_bytes"`
	// AudioStorageBytes and the next are only told to clients that want two numbers.
	AudioStorageBytes int64 `toml:"audio_storage_bytes"`
	VideoStorageBytes int64 `toml:"video_storage_bytes"`
	AudioFileBytes    int64 `toml:"audio_file_bytes"`
	AudioSeconds      int64 `toml:"audio_seconds"`
	VideoFileBytes    int64 `toml:"video_file_bytes"`
	VideoSeconds      int64 `toml:"video_seconds"`

	DocCount     int64 `toml:"doc_count"`
	DocFileBytes int64 `toml:"doc_file_bytes"`
	DocImages    int64 `toml:"doc_images"`
	KBCount      int64 `toml:"kb_count"`
	APIKeys      int64 `toml:"api_keys"`
	// CollectionTypes is how many types of collections of their own people may make.
	CollectionTypes int64 `toml:"collection_types"`

	Video         bool `toml:"video"`
	Watermarks    bool `toml:"watermarks"`
	CustomDomains bool `toml:"custom_domains"`
}

// defaultPlans are the wire contract's numbers (section 4).
func defaultPlans() map[string]Plan {
	const mb, gb, unlimited = 1 << 20, 1 << 30, -1
	return map[string]Plan{
		"none": {APIKeys: 3},
		"trial": {
			ImageStorageBytes: 100 * mb, ImageUploadsPerDay: unlimited, ImageUploadsPerMonth: 1000, ImageBandwidthBytes: unlimited,
			MediaStorageBytes: 500 * mb, MediaBandwidthBytes: unlimited, AudioStorageBytes: 500 * mb,
			AudioFileBytes: 50 * mb, AudioSeconds: 600,
			DocCount: 100, DocFileBytes: mb, DocImages: 30, KBCount: 5, APIKeys: 3,
		},
		"pro": {
			ImageStorageBytes: 5 * gb, ImageUploadsPerDay: unlimited, ImageUploadsPerMonth: 50_000, ImageBandwidthBytes: 5 * gb,
			MediaStorageBytes: 15 * gb, MediaBandwidthBytes: unlimited, AudioStorageBytes: 5 * gb, VideoStorageBytes: 10 * gb,
			AudioFileBytes: 100 * mb, AudioSeconds: 3600, VideoFileBytes: 500 * mb, VideoSeconds: 1800,
			DocCount: 1000, DocFileBytes: 5 * mb, DocImages: 100, KBCount: 50, APIKeys: 3,
			Video: true,
		},
		"pro_plus": {
			ImageStorageBytes: 50 * gb, ImageUploadsPerDay: unlimited, ImageUploadsPerMonth: 200_000, ImageBandwidthBytes: unlimited,
			MediaStorageBytes: 150 * gb, MediaBandwidthBytes: unlimited, AudioStorageBytes: 50 * gb, VideoStorageBytes: 100 * gb,
			AudioFileBytes: 500 * mb, AudioSeconds: 14_400, VideoFileBytes: 2 * gb, VideoSeconds: 7200,
			DocCount: 10_000, DocFileBytes: 5 * mb, DocImages: 300, KBCount: 500, APIKeys: 10, CollectionTypes: 10,
			Video: true, Watermarks: true, CustomDomains: true,
		},
	}
}

// LimitNames are the names of a plan's limits, its keys in the file.
func LimitNames() (names []string) {
	new(Plan).each(func(key string, f reflect.Value) {
		if f.Kind() == reflect.Int64 {
			names = append(names, key)
		}
	})
	return names
}

// SetLimit sets the limit of that name, and reports whether there is one.
func (p *Plan) SetLimit(name string, n int64) (known bool) {
	p.each(func(key string, f reflect.Value) {
		if key == name && f.Kind() == reflect.Int64 {
			f.SetInt(n)
			known = true
		}
	})
	return known
}

func (p *Plan) each(fn func(key string, f reflect.Value)) {
	v := reflect.ValueOf(p).Elem()
	for i := range v.NumField() {
		fn(v.Type().Field(i).Tag.Get("toml"), v.Field(i))
	}
}

// readPlans lays the file's plans over those of c, key by key.
func (c *Config) readPlans(path string, all map[string]any) (problems []error) {
	bad := func(format string, args ...any) {
		problems = append(problems, fmt.Errorf("%s: plans%s", path, fmt.Sprintf(format, args...)))
	}
	given, ok := all["plans"].(map[string]any)
	if !ok && all["plans"] != nil {
		bad(": a section for each is expected, such as [plans.pro]")
	}
	for _, name := range slices.Sorted(maps.Keys(given)) {
		keys, ok := given[name].(map[string]any)
		plan, known := c.Plans[name]
		if !ok || !known {
			bad(".%s: there are the plans %s, each a section such as [plans.pro]", name, strings.Join(PlanNames, ", "))
			continue
		}
		plan.each(func(key string, f reflect.Value) {
			v, there := keys[key]
			delete(keys, key)
			if !there {
				return
			}
			if reflect.TypeOf(v) != f.Type() {
				bad(".%s.%s: %s", name, key, expected(f))
				return
			}
			f.Set(reflect.ValueOf(v))
		})
		for _, key := range slices.Sorted(maps.Keys(keys)) {
			bad(".%s: unknown setting %q", name, key)
		}
		c.Plans[name] = plan
	}
	return problems
}

// readPlansEnv lays PICORA_PLANS_PLAN_KEY over c, and takes what it used out of given.
func (c *Config) readPlansEnv(given map[string]string) (problems []error) {
	for _, name := range PlanNames {
		plan := c.Plans[name]
		plan.each(func(key string, f reflect.Value) {
			v := variable("plans_"+name, key)
			text, there := given[v]
			delete(given, v)
			if !there {
				return
			}
			if err := setText(f, text); err != nil {
				problems = append(problems, fmt.Errorf("%s: %w", v, err))
			}
		})
		c.Plans[name] = plan
	}
	return problems
}
