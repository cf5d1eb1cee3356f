package api_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"picora/app/apptest"
	"picora/app/config"
	"picora/store"
)

// shown is the wire's video, as far as tests read it.
type shown struct {
	ID, VideoID, Title, Filename, Status, EmbedURL string

	PlaybackURL, MP4URL, PreviewURL, StoryboardURL, ThumbnailURL, Error, Note *string
	DurationSeconds, Progress, Width, Height                                  *int
	SizeBytes                                                                 int64
	IsPublic, RequireSignature                                                bool
	AllowedReferers, Tags                                                     []string
	Captions                                                                  []struct {
		Name, URL   string
		Lang, Label *string
		Default     bool
		Uploaded    bool
	}
	CreatedAt, UpdatedAt string
}

// cinema starts a Picora without workers whose owner has the plan pro, and videos.
func cinema(t *testing.T, edit ...func(*config.Plan)) *apptest.Picora {
	t.Helper()
	t.Parallel()
	p := apptest.Start(t, func(c *config.Config) {
		c.Server.InternalToken = internalToken
		plan := c.Plans["pro"]
		for _, e := range edit {
			e(&plan)
		}
		c.Plans["pro"] = plan
	})
	p.User = p.NewUserOn("pro", "pro@example.org")
	p.Key = p.NewKey("pro@example.org")
	return p
}

// shot is a video in that state, of which nothing but its record is made.
func shot(s store.FilmState, edit ...func(*store.Media)) func(*store.Media) {
	return func(m *store.Media) {
		m.Film.State, m.Title = s, ""
		if s != store.FilmReady && s != store.FilmPlayable {
			m.Parts, m.Film.Tracks = nil, nil
		}
		if s == store.FilmPlayable {
			m.DropPart(store.FilePart)
			m.DropPart(store.PreviewPart)
		}
		if s == store.FilmFailed {
			m.Film.Fault = "The file is damaged: no picture in it could be decoded."
		}
		for _, e := range edit {
			e(m)
		}
	}
}

// steady gives a record numbers that do not hang on the ffmpeg which made it, for goldens.
func steady(m *store.Media) {
	m.Size, m.Film.BitRate, m.Film.Chapters = 1_000_000, 1200, []store.Chapter{{Start: 0, End: 3.5, Title: "One"}}
	tracks := slices.Clone(m.Film.Tracks)
	for i := range tracks {
		tracks[i].Bandwidth, tracks[i].Average = 150_000, 120_000
	}
	m.Film.Tracks = tracks
}

func getFilm(t testing.TB, p *apptest.Picora, id string) (f shown) {
	t.Helper()
	p.Play(t, scenario{URL: "/v1/videos/" + id, Status: 200}).Data(t, &f)
	return f
}

func TestAVideoIsAsTheContractSays(t *testing.T) {
	p := cinema(t)
	m := p.AddFilm(nil, steady, func(m *store.Media) { m.Tags = []string{"sea"} })
	at := "/v1/videos/" + m.ID
	null := []string{`"data":null`}
	p.Run(t,
		scenario{Name: "it is there", URL: at, Status: 200, Golden: "video"},
		scenario{Name: "its state", URL: at + "/status", Status: 200, Golden: "video-status"},
		scenario{Name: "nothing is changed", Method: "PATCH", URL: at, Body: `{}`, Status: 200, Has: null},
		scenario{Name: "no body at all", Method: "PATCH", URL: at, Status: 200, Has: null},
		scenario{Name: "a title, and private", Method: "PATCH", URL: at, Body: `{"title":"New title","is_public":false,"tags":["a","b"]}`, Status: 200, Has: null},
		scenario{Name: "as it was changed", URL: at, Status: 200, Has: []string{`"title":"New title"`, `"isPublic":false`, `"tags":["a","b"]`}},
		scenario{Name: "public, by the other spelling, without title", Method: "PATCH", URL: at, Body: `{"isPublic":true,"title":null,"allowedReferers":["example.org"],"requireSignature":true}`, Status: 200, Has: null},
		scenario{Name: "as it was changed then", URL: at, Status: 200, Has: []string{`"title":"Größe 1"`, `"isPublic":true`, `"allowedReferers":["example.org"]`, `"requireSignature":true`}},
		scenario{Name: "too long a title", Method: "PATCH", URL: at, Body: object{"title": strings.Repeat("x", 256)}, Status: 422, Code: "VALIDATION_ERROR"},
		scenario{Name: "ten tags", Method: "PATCH", URL: at, Body: object{"tags": strings.Split("0123456789", "")}, Status: 200},
		scenario{Name: "eleven", Method: "PATCH", URL: at, Body: object{"tags": strings.Split("0123456789a", "")}, Status: 422, Code: "VALIDATION_ERROR", Has: []string{"tags", "10"}},
		scenario{Name: "a tag of 32 characters", Method: "PATCH", URL: at, Body: object{"tags": []string{strings.Repeat("海", 32)}}, Status: 200},
		scenario{Name: "of 33", Method: "PATCH", URL: at, Body: object{"tags": []string{strings.Repeat("海", 33)}}, Status: 422, Code: "VALIDATION_ERROR", Has: []string{"tags", "32"}},
		scenario{Name: "a wrong type", Method: "PATCH", URL: at, Body: `{"isPublic":"yes"}`, Status: 422, Code: "VALIDATION_ERROR", Has: []string{"isPublic"}},
		scenario{Name: "a collection that is not there", Method: "PATCH", URL: at, Body: object{"kbId": strings.Repeat("a", 21)}, Status: 404, Code: "NOT_FOUND"},
		scenario{Name: "as audio", URL: "/v1/audio/" + m.ID, Status: 404, Code: "NOT_FOUND"},
		scenario{Name: "an id of another form", URL: "/v1/videos/short", Status: 404, Code: "NOT_FOUND"},
		scenario{Name: "the usage", URL: "/v1/user/me/usage", Status: 200, Has: []string{`"totalCount":1,"bandwidthStatus":"ok"`, `"videos":{"storageUsed":` + "1000000"}},
		scenario{Name: "into the trash", Method: "DELETE", URL: at + "?trash=true", Status: 200, Has: null},
		scenario{Name: "it is not there", URL: at, Status: 404, Code: "NOT_FOUND"},
		scenario{Name: "in the trash", URL: "/v1/trash", Status: 200, Golden: "trash-video"},
		scenario{Name: "back again", Method: "POST", URL: "/v1/trash/" + m.ID + "/restore", Status: 200, Has: []string{`"status":"ready"`, `/index.m3u8`}},
		scenario{Name: "deleted", Method: "DELETE", URL: at, Status: 200, Has: null},
		scenario{Name: "and again", Method: "DELETE", URL: at, Status: 404, Code: "NOT_FOUND"},
		scenario{Name: "the changes tell of it", URL: "/v1/sync/state?type=video", Status: 200, Has: []string{`"op":"delete","type":"video","id":"` + m.ID}},
	)
}

func TestEveryStateOfAVideoOnTheWire(t *testing.T) {
	p := cinema(t)
	made := map[store.FilmState]string{}
	for state := store.FilmWaiting; state <= store.FilmFailed; state++ {
		made[state] = p.AddFilm(nil, shot(state)).ID
	}
	picture := p.Add("a.png", pixel).ID
	for _, c := range []struct {
		state                      store.FilmState
		here, inMedia              string
		plays, whole, progress, is bool
	}{
		{store.FilmWaiting, "processing", "processing", false, false, true, false},
		{store.FilmPlayable, "ready", "ready", true, false, true, false},
		{store.FilmReady, "ready", "ready", true, true, false, false},
		{store.FilmFailed, "error", "failed", false, false, false, true},
	} {
		var f, state, entry shown
		at := "/v1/videos/" + made[c.state]
		p.Play(t, scenario{URL: at, Status: 200}).Data(t, &f)
		p.Play(t, scenario{URL: at + "/status", Status: 200}).Data(t, &state)
		p.Play(t, scenario{URL: "/v1/media/" + f.ID, Status: 200}).Data(t, &struct {
			*shown
			DurationSeconds float64 // which is no whole number there
		}{shown: &entry})
		if f.Status != c.here || state.Status != c.here || entry.Status != c.inMedia {
			t.Errorf("state %d is %s, %s and %s", c.state, f.Status, state.Status, entry.Status)
		}
		if plays := f.PlaybackURL != nil; plays != c.plays || (state.PlaybackURL != nil) != plays || (entry.PlaybackURL != nil) != plays || (f.MP4URL != nil) != c.whole {
			t.Errorf("state %d: plays %v, %v, %v; whole %v", c.state, f.PlaybackURL, state.PlaybackURL, entry.PlaybackURL, f.MP4URL)
		}
		if (f.Progress != nil) != c.progress || (state.Progress != nil) != c.progress || (entry.Progress != nil) != c.progress || (f.Error != nil) != c.is || (state.Error != nil) != c.is || (entry.Error != nil) != c.is {
			t.Errorf("state %d: progress %v, error %v", c.state, f.Progress, f.Error)
		}
		if (f.ThumbnailURL != nil) != c.plays || f.Title != "Größe 1" || *entry.Width != 640 || *state.DurationSeconds != 6 {
			t.Errorf("state %d: %+v", c.state, f)
		}
	}
	for _, c := range []struct {
		url  string
		want []string // the newest first
	}{
		{"/v1/videos", []string{made[4], made[3], made[2], made[1]}},
		{"/v1/videos?status=processing", []string{made[1]}},
		{"/v1/videos?status=ready", []string{made[3], made[2]}},
		{"/v1/videos?status=error", []string{made[4]}},
		{"/v1/videos?status=failed", []string{made[4]}},
		{"/v1/videos?status=odd", nil},
		{"/v1/videos?type=image", []string{made[4], made[3], made[2], made[1]}},
		{"/v1/videos?q=größe&order=asc", []string{made[1], made[2], made[3], made[4]}},
		{"/v1/videos?q=pixel", nil},
		{"/v1/media?status=ready", []string{picture, made[3], made[2]}},
		{"/v1/media?status=ready&type=image", []string{picture}},
		{"/v1/media?status=processing", []string{made[1]}},
		{"/v1/media?status=processing&type=audio", nil},
		{"/v1/media?status=failed&type=video", []string{made[4]}},
		{"/v1/media?status=error", []string{made[4]}},
		{"/v1/media?type=video&q=größe", []string{made[4], made[3], made[2], made[1]}},
	} {
		path, query, _ := strings.Cut(c.url, "?")
		q, _ := url.ParseQuery(query)
		if got := ids(t, p, path, q); !slices.Equal(got, c.want) {
			t.Errorf("%s: %v, want %v", c.url, got, c.want)
		}
		q.Set("limit", "1") // no page is empty, whatever lies between
		if got := ids(t, p, path, q); !slices.Equal(got, c.want) {
			t.Errorf("%s by one: %v, want %v", c.url, got, c.want)
		}
	}
}

// As Moraya reads it (contract 12), and the Node SDK: that one reads videos (contract 1.4).
func TestStrictClientsReadVideosInEveryState(t *testing.T) {
	p := cinema(t)
	for state := store.FilmWaiting; state <= store.FilmFailed; state++ {
		p.AddFilm(nil, steady, shot(state))
		p.AddFilm(nil, steady, shot(state), func(m *store.Media) { m.Public, m.Film.Duration, m.Width, m.Height = false, 0, 0, 0 })
	}
	var page struct{ Items []json.RawMessage }
	p.Play(t, scenario{URL: "/v1/media?type=video", Status: 200, Golden: "media-videos"}).Data(t, &page)
	if len(page.Items) != 8 {
		t.Fatalf("%d entries", len(page.Items))
	}
	for _, raw := range page.Items {
		strict(t, "the list", raw)
		var m struct{ ID string }
		if err := json.Unmarshal(raw, &m); err != nil {
			t.Fatal(err)
		}
		var one json.RawMessage
		p.Play(t, scenario{URL: "/v1/media/" + m.ID, Status: 200}).Data(t, &one)
		strict(t, "alone", one)
		var state struct {
			ID, Status *string
			Error      *string
		}
		p.Play(t, scenario{URL: "/v1/videos/" + m.ID + "/status", Status: 200}).Data(t, &state)
		if state.ID == nil || *state.ID != m.ID || state.Status == nil {
			t.Errorf("%+v", state)
		}
	}
	var list struct {
		Items, Videos []shown
		NextCursor    *string
		HasMore       bool
		Total         *int
	}
	p.Play(t, scenario{URL: "/v1/videos?limit=3", Status: 200}).Data(t, &list)
	if len(list.Videos) != 3 || len(list.Items) != 3 || list.NextCursor == nil || !list.HasMore || list.Total == nil || *list.Total != 8 {
		t.Errorf("%+v", list)
	}
	for _, f := range list.Videos {
		if f.ID == "" || f.CreatedAt == "" || f.UpdatedAt == "" || f.Title == "" {
			t.Errorf("%+v", f)
		}
	}
}

func TestPlansWithoutVideoSayThatTheyNeedAnUpgrade(t *testing.T) {
	p := cinema(t)
	for _, plan := range []string{"none", "trial"} {
		p.NewUserOn(plan, plan+"@example.org")
		r := p.Play(t, scenario{As: p.NewKey(plan + "@example.org"), Method: "POST", URL: "/v1/videos", Body: parts{apptest.File("a.mp4", []byte("x"))}, Status: 403, Code: "PLAN_REQUIRED"})
		if text := string(r.Body[:min(len(r.Body), 200)]); !strings.Contains(text, "upgrade") {
			t.Errorf("%s: clients find no word in %s", plan, text)
		}
	}
	p.Run(t,
		scenario{Name: "no video at all", Method: "POST", URL: "/v1/videos", Body: parts{apptest.File("a.mp4", pixel)}, Status: 422, Code: "VALIDATION_ERROR"},
		scenario{Name: "no file", Method: "POST", URL: "/v1/videos", Body: parts{apptest.Field("title", "x")}, Status: 422, Code: "VALIDATION_ERROR"},
		scenario{Name: "no form", Method: "POST", URL: "/v1/videos", Body: `{}`, Status: 400, Code: "BAD_REQUEST"},
	)
}

func TestAVideoTooLargeForThePlanIsRefusedUnread(t *testing.T) {
	p := cinema(t, func(l *config.Plan) { l.VideoFileBytes = 1 << 20 })
	p.Play(t, scenario{Method: "POST", URL: "/v1/videos", Body: parts{apptest.File("a.mp4", make([]byte, 3<<20))}, Status: 422, Code: "VALIDATION_ERROR", Has: []string{"1 MB"}})
}

func TestVideosShareTheRoomOfAudio(t *testing.T) {
	p := cinema(t, func(l *config.Plan) { l.MediaStorageBytes = 1_500_000 })
	p.AddFilm(nil, steady)
	p.Play(t, scenario{Method: "POST", URL: "/v1/videos", Body: parts{apptest.File("a.mp4", make([]byte, 2_000_000))}, Status: 403, Code: "QUOTA_EXCEEDED", Has: []string{"media_storage_bytes"}})
	var sub struct{ Usage map[string]int64 }
	p.Play(t, scenario{URL: "/v1/me/subscription", Status: 200}).Data(t, &sub)
	if sub.Usage["videoStorageBytes"] != 1_000_000 {
		t.Errorf("%v", sub.Usage)
	}
}

func TestTheBandwidthDecidesWhereAVideoPlays(t *testing.T) {
	p := cinema(t, func(l *config.Plan) { l.MediaBandwidthBytes = 1000 })
	m := p.AddFilm(nil)
	at := "/v1/videos/" + m.ID
	usage := p.App.Usage()
	ends := func(end string) {
		t.Helper()
		p.Advance(time.Minute) // what was known a moment ago is too old
		f := getFilm(t, p, m.ID)
		if !strings.HasSuffix(*f.PlaybackURL, m.ID+end) {
			t.Errorf("it plays at %s", *f.PlaybackURL)
		}
	}
	ends("/index.m3u8")
	usage.Meter(m.User, store.Video).Add(1100)
	ends("/360p/index.m3u8")
	p.Run(t,
		scenario{Name: "its state", URL: at + "/status", Status: 200, Has: []string{"/360p/index.m3u8"}},
		scenario{Name: "in the list", URL: "/v1/media", Status: 200, Has: []string{"/360p/index.m3u8"}},
		scenario{Name: "the usage", URL: "/v1/user/me/usage", Status: 200, Has: []string{`"bandwidthStatus":"degraded","bandwidthLimit":1000`, `"bandwidthUsed":1100`}},
	)
	usage.Meter(m.User, store.Video).Add(200)
	ends("/360p/index.m3u8")
	p.Run(t,
		scenario{Name: "its state is not told", URL: at + "/status", Status: 451, Code: "BANDWIDTH_SUSPENDED"},
		scenario{Name: "the usage then", URL: "/v1/user/me/usage", Status: 200, Has: []string{`"bandwidthStatus":"suspended"`}},
		scenario{Name: "no more is taken", Method: "POST", URL: "/v1/videos", Body: parts{apptest.File("a.mp4", pixel)}, Status: 403, Code: "QUOTA_EXCEEDED", Has: []string{"media_bandwidth_bytes"}},
	)
	usage.Flush(t.Context())
	p.Advance(31 * 24 * time.Hour)
	p.Play(t, scenario{URL: at + "/status", Status: 200, Has: []string{m.ID + "/index.m3u8"}})
}

func TestWhoMayReadAVideo(t *testing.T) {
	p := cinema(t)
	p.NewUserOn("pro", "other@example.org")
	other := p.NewKey("other@example.org")
	open := p.AddFilm(nil)
	private := p.AddFilm(nil, func(m *store.Media) { m.Public = false })
	some := p.AddFilm(nil, func(m *store.Media) { m.Restricted, m.Referers = true, []string{"example.org"} })
	for _, c := range []struct {
		name, id, as  string
		status        int
		signed, lists bool
	}{
		{"a public one, by nobody", open.ID, apptest.Nobody, 200, false, false},
		{"a public one, by its owner", open.ID, "", 200, false, false},
		{"a private one, by nobody", private.ID, apptest.Nobody, 404, false, false},
		{"a private one, by another", private.ID, other, 404, false, false},
		{"a private one, by its owner", private.ID, "", 200, true, false},
		{"one for some pages, by nobody", some.ID, apptest.Nobody, 200, false, false},
		{"one for some pages, by another", some.ID, other, 200, false, false},
		{"one for some pages, by its owner", some.ID, "", 200, true, true},
	} {
		r := p.Ask(t, scenario{As: c.as, URL: "/v1/videos/" + c.id})
		if r.Status != c.status {
			t.Errorf("%s: %d", c.name, r.Status)
		}
		if r.Status != 200 {
			continue
		}
		var f shown
		r.Data(t, &f)
		for _, u := range []string{*f.PlaybackURL, *f.MP4URL, *f.PreviewURL, *f.StoryboardURL, *f.ThumbnailURL, f.Captions[0].URL} {
			if strings.Contains(u, "?sig=") != c.signed {
				t.Errorf("%s: %s", c.name, u)
			}
			if got := p.Do("GET", u, nil, "Authorization", ""); (got.Status == 200) != (c.signed || c.id == open.ID) {
				t.Errorf("%s: %s is %d", c.name, u, got.Status)
			}
		}
		if c.signed { // what opens a small picture opens no more
			for _, u := range []string{*f.ThumbnailURL, *f.PreviewURL} {
				_, query, _ := strings.Cut(u, "?")
				list, _, _ := strings.Cut(*f.PlaybackURL, "?")
				if got := p.Do("GET", list+"?"+query, nil, "Authorization", ""); got.Status != 403 {
					t.Errorf("%s: the signature of %s opens the film: %d", c.name, u, got.Status)
				}
			}
		}
		if (f.AllowedReferers != nil) != c.lists || strings.Contains(f.EmbedURL, "sig=") {
			t.Errorf("%s: %+v", c.name, f)
		}
	}
	for _, path := range []string{"/status", "/captions", "/original"} {
		p.Play(t, scenario{As: other, URL: "/v1/videos/" + open.ID + path, Status: 404, Code: "NOT_FOUND"})
	}
}

func TestALinkThatOpensAVideoForAWhile(t *testing.T) {
	p := cinema(t)
	m := p.AddFilm(nil, func(m *store.Media) { m.Public = false })
	at := "/v1/videos/" + m.ID + "/sign"
	var links shown
	p.Play(t, scenario{Method: "POST", URL: at, Status: 200}).Data(t, &links)
	for _, u := range []string{*links.PlaybackURL, *links.MP4URL, *links.ThumbnailURL, links.EmbedURL} {
		plain, _, _ := strings.Cut(u, "?")
		if with, without := p.Do("GET", u, nil, "Authorization", ""), p.Do("GET", plain, nil, "Authorization", ""); with.Status != 200 || without.Status != 403 {
			t.Errorf("%s: %d, without its signature %d", u, with.Status, without.Status)
		}
	}
	p.Run(t,
		scenario{Name: "for an hour", Method: "POST", URL: at, Status: 200, Golden: "video-signed"},
		scenario{Name: "for too long", Method: "POST", URL: at, Body: `{"expSeconds":86401}`, Status: 422, Code: "VALIDATION_ERROR", Has: []string{"expSeconds"}},
		scenario{Name: "of what is not made yet", Method: "POST", URL: "/v1/videos/" + p.AddFilm(nil, shot(store.FilmWaiting)).ID + "/sign", Status: 200, Has: []string{`"playbackUrl":null`, `"mp4Url":null`, `"embedUrl":"http`}},
	)
}

func TestTheOriginalOfAVideo(t *testing.T) {
	p := cinema(t)
	m := p.AddFilm(nil)
	at := "/v1/videos/" + m.ID
	p.Run(t,
		scenario{Name: "whole", URL: at + "/original", Status: 200, Check: func(t testing.TB, r apptest.Response) {
			if sum(r.Body) != sum(apptest.MakeFilm(t, apptest.DefaultFilm).Original) || !strings.HasPrefix(r.Header.Get("Content-Disposition"), "attachment") {
				t.Errorf("%d bytes, %v", len(r.Body), r.Header)
			}
		}},
		scenario{Name: "a part", URL: at + "/original", Headers: []string{"Range", "bytes=4-7"}, Status: 206, Has: []string{"ftyp"}},
		scenario{Name: "behind the end", URL: at + "/original", Headers: []string{"Range", "bytes=999999999-"}, Status: 416},
		scenario{Name: "not for nobody", As: apptest.Nobody, URL: at + "/original", Status: 401, Code: "UNAUTHORIZED"},
		scenario{Name: "for services beside Picora", As: apptest.Nobody, URL: at + "/public-meta", Headers: []string{"X-Internal-Token", internalToken}, Status: 200,
			Has: []string{`"storageKey":"` + m.Blob, `"mimeType":"video/mp4"`, `"filename":"Größe 1.mp4"`, `"sizeBytes":` + strconv.FormatInt(m.Size, 10)}},
		scenario{Name: "without the token", As: apptest.Nobody, URL: at + "/public-meta", Status: 404, Code: "NOT_FOUND"},
	)
	file, _ := m.Part(store.FilePart)
	p.ChangeFilm(m.ID, func(m *store.Media) { m.Blob, m.BlobSize = "", 0 }) // as when originals are not kept
	p.Run(t,
		scenario{Name: "one that was not kept", URL: at + "/original", Status: 404, Code: "NOT_FOUND", Has: []string{"not kept"}},
		scenario{Name: "what there is instead", As: apptest.Nobody, URL: at + "/public-meta", Headers: []string{"X-Internal-Token", internalToken}, Status: 200,
			Has: []string{`"storageKey":"` + file.Blob}},
	)
	p.Play(t, scenario{Method: "PATCH", URL: at, Body: `{"isPublic":false}`, Status: 200})
	p.Play(t, scenario{As: apptest.Nobody, URL: at + "/public-meta", Headers: []string{"X-Internal-Token", internalToken}, Status: 404, Code: "NOT_FOUND"})
}

func TestVideosAreInCollectionsChangesAndCounts(t *testing.T) {
	p := cinema(t)
	album := makeAlbum(t, p, object{"name": "Films"})
	m := p.AddFilm(nil, steady)
	p.Run(t,
		scenario{Name: "into an album", Method: "PATCH", URL: "/v1/videos/" + m.ID, Body: object{"kbId": album.ID}, Status: 200},
		scenario{Name: "in its list", URL: "/v1/videos?kbId=" + album.ID, Status: 200, Has: []string{m.ID}},
		scenario{Name: "not in those of none", URL: "/v1/videos?kbId=", Status: 200, Has: []string{`"videos":[]`}},
		scenario{Name: "counted there", URL: collections + "/" + album.ID, Status: 200, Has: []string{`"video":1`}},
		scenario{Name: "in its manifest", URL: collections + "/" + album.ID + "/manifest?version=3", Status: 200, Has: []string{`"resourceType":"video"`}},
		scenario{Name: "among the changes", URL: "/v1/sync/state?type=video", Status: 200, Has: []string{`"op":"upsert","type":"video","id":"` + m.ID, "/video/" + m.ID + "/index.m3u8"}},
		scenario{Name: "on the whole server", As: p.Admin("admin@example.org"), URL: "/v1/admin/stats", Status: 200, Has: []string{`"video":{"items":1`}},
		scenario{Name: "deleted with others", Method: "DELETE", URL: "/v1/media", Body: object{"items": []object{{"id": m.ID, "type": "video"}, {"id": m.ID, "type": "audio"}}}, Status: 200, Has: []string{`"deleted":["` + m.ID}},
		scenario{Name: "gone", URL: "/v1/media/" + m.ID, Status: 404, Code: "NOT_FOUND"},
		scenario{Name: "the room is free again", URL: "/v1/user/me/usage", Status: 200, Has: []string{`"videos":{"storageUsed":0`}},
	)
}

func TestAVideoThatFailedIsTriedAgain(t *testing.T) {
	p := cinema(t)
	admin := p.Admin("admin@example.org")
	failed, whole := p.AddFilm(nil, shot(store.FilmFailed)), p.AddFilm(nil, func(m *store.Media) { m.Film.Passes = 100 })
	p.Run(t,
		scenario{Name: "it failed", Method: "POST", URL: "/v1/videos/" + failed.ID + "/retry", Status: 202, Has: []string{`"status":"processing"`, `"error":null`}},
		scenario{Name: "it is under way", URL: "/v1/videos/" + failed.ID + "/status", Status: 200, Has: []string{`"progress":`}},
		scenario{Name: "the administrator sees it", As: admin, URL: "/v1/admin/stats", Status: 200, Has: []string{`"videosToMake":1,"videosFailed":0`}},
		scenario{Name: "there is nothing to try", Method: "POST", URL: "/v1/videos/" + whole.ID + "/retry", Status: 409, Code: "CONFLICT"},
	)
}

// What package cdn promises is tested there; here it is held against the document.
func TestWhatThereIsOfAVideoIsAsDocumented(t *testing.T) {
	p := cinema(t, func(l *config.Plan) { l.MediaBandwidthBytes = 1 << 40 })
	m := p.AddFilm(nil)
	private, waiting := p.AddFilm(nil, func(m *store.Media) { m.Public = false }), p.AddFilm(nil, shot(store.FilmWaiting))
	list := p.Do("GET", "/video/"+m.ID+"/360p/media.m3u8", nil)
	piece := regexp.MustCompile(`[0-9a-f]{8}-0\.m4s`).FindString(string(list.Body))
	at := "/video/" + m.ID
	for _, method := range []string{"GET", "HEAD"} {
		get := func(name, url string, status int, headers ...string) scenario {
			return scenario{Name: method + " " + name, As: apptest.Nobody, Method: method, URL: url, Status: status, Headers: headers}
		}
		p.Run(t,
			get("the playlist", at+"/index.m3u8", 200),
			get("the small one", at+"/360p/index.m3u8", 200),
			get("of a track", at+"/360p/media.m3u8", 200),
			get("of captions", at+"/text-1/media.m3u8", 200),
			get("captions", at+"/text-1.vtt", 200),
			get("a piece", at+"/360p/"+piece, 200),
			get("the first bytes", at+"/360p/"+strings.Replace(piece, "0.m4s", "init.mp4", 1), 200),
			get("the file", at+"/video.mp4", 200),
			get("a part of it", at+"/video.mp4", 206, "Range", "bytes=0-9"),
			get("behind its end", at+"/video.mp4", 416, "Range", "bytes=99999999-"),
			get("the poster", at+"/poster.jpg", 200),
			get("the preview", at+"/preview.mp4", 200),
			get("the storyboard", at+"/storyboard.vtt", 200),
			get("a sheet of it", at+"/storyboard-0.jpg", 200),
			get("what the client has", at+"/360p/media.m3u8", 304, "If-None-Match", list.Header.Get("ETag")),
			get("another", at+"/360p/media.m3u8", 412, "If-Match", `"x"`),
			get("a size that there is not", at+"/1080p/index.m3u8", 404),
			get("a piece that there is not", at+"/360p/"+strings.Replace(piece, "-0", "-99", 1), 404),
			get("the player", "/embed/video/"+m.ID, 200),
			get("of a private one", "/embed/video/"+private.ID, 403),
			get("its state", "/embed/video/"+m.ID+"/state", 200),
			get("that of one that is being made", "/embed/video/"+waiting.ID+"/state", 200),
			get("a private one", "/video/"+private.ID+"/index.m3u8", 403),
			get("one that is not made", "/video/"+waiting.ID+"/index.m3u8", 503),
		)
	}
	p.App.Usage().Meter(p.User, store.Video).Add(1 << 41)
	p.Advance(time.Minute)
	p.Play(t, scenario{As: apptest.Nobody, URL: at + "/index.m3u8", Status: 451})
}

// unsent is a body that must not be asked for.
type unsent struct{ *testing.T }

func (b unsent) Read([]byte) (int, error) {
	b.Error("the body is asked for")
	return 0, io.ErrUnexpectedEOF
}

func TestUploadsForVideosAreRefusedBeforeTheyAreSent(t *testing.T) {
	p := cinema(t, func(l *config.Plan) { l.VideoFileBytes = 3 << 20 })
	m := p.AddFilm(nil)
	p.NewUserOn("trial", "trial@example.org")
	p.NewUserOn("none", "none@example.org")
	trial, none := p.NewKey("trial@example.org"), p.NewKey("none@example.org")
	client := &http.Client{Transport: &http.Transport{ExpectContinueTimeout: time.Minute}}
	defer client.CloseIdleConnections()
	for _, c := range []struct {
		name, path, key string
		length          int64
		status          int
	}{
		{"a plan without video", "/v1/videos", trial, 1 << 20, 403},
		{"a video too large", "/v1/videos", p.Key, 8 << 20, 422},
		{"captions too large", "/v1/videos/" + m.ID + "/captions", p.Key, 4 << 20, 422},
		{"a picture too large", "/v1/videos/" + m.ID + "/thumbnail", p.Key, 1 << 30, 422},
		{"a poster without a plan", "/v1/videos/" + m.ID + "/thumbnail", none, 1 << 20, 403},
		{"captions without a key", "/v1/videos/" + m.ID + "/captions/", "sk_live_x", 1 << 20, 401},
		{"captions by a key that only reads", "/V1/videos/" + m.ID + "/Captions", p.NewKey("pro@example.org", "media.read"), 1 << 20, 403},
	} {
		r, err := http.NewRequest("POST", p.URL+c.path, unsent{t})
		if err != nil {
			t.Fatal(err)
		}
		r.ContentLength = c.length
		r.Header = http.Header{"Expect": {"100-continue"}, "Authorization": {"Bearer " + c.key}, "Content-Type": {"multipart/form-data; boundary=x"}}
		got, err := client.Do(r)
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		got.Body.Close()
		if got.StatusCode != c.status {
			t.Errorf("%s: %d, want %d", c.name, got.StatusCode, c.status)
		}
	}
}
