package auth

import "strings"

// Name is what a person calls the device: "Firefox on Windows". It is told from the
// User-Agent, which anybody may invent.
func (d Device) Name() string { return DeviceName(d.Agent) }

// DeviceName is a short name for a User-Agent.
func DeviceName(agent string) string {
	program, system := first(agent, programs), first(agent, systems)
	switch {
	case program == "" && system == "":
		name, _, _ := strings.Cut(agent, "/")
		if name = strings.TrimSpace(name); name == "" || len(name) > 32 || strings.ContainsAny(name, "()<>;") {
			return "Unknown device"
		}
		return name
	case program == "":
		return system
	case system == "":
		return program
	}
	return program + " on " + system
}

// In this order: most browsers name others, too.
var programs = [][2]string{
	{"@picora/sdk", "Picora SDK"}, {"PicGo", "PicGo"}, {"PicList", "PicList"}, {"Moraya", "Moraya"}, {"curl/", "curl"},
	{"MicroMessenger", "WeChat"}, {"Edg", "Edge"}, {"OPR/", "Opera"}, {"SamsungBrowser", "Samsung Internet"},
	{"Vivaldi", "Vivaldi"}, {"FxiOS", "Firefox"}, {"Firefox/", "Firefox"}, {"CriOS", "Chrome"}, {"Chrome/", "Chrome"}, {"Safari/", "Safari"},
}

var systems = [][2]string{
	{"iPhone", "iPhone"}, {"iPad", "iPad"}, {"Android", "Android"}, {"Windows", "Windows"}, {"Mac OS X", "Mac"}, {"Macintosh", "Mac"}, {"CrOS", "ChromeOS"}, {"Linux", "Linux"},
}

func first(agent string, names [][2]string) string {
	for _, n := range names {
		if strings.Contains(agent, n[0]) {
			return n[1]
		}
	}
	return ""
}
