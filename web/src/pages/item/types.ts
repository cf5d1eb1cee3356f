// What the API answers of one medium (app/api/openapi.yaml), as far as this page reads it.

interface Common {
  id: string;
  filename: string;
  title: string | null;
  sizeBytes: number;
  isPublic: boolean;
  kbId: string | null;
  createdAt: string;
  updatedAt: string;
}

interface Rules {
  mimeType: string;
  allowedReferers: string[] | null;
  requireSignature: boolean;
}

export interface Picture extends Common, Rules {
  type: 'image';
  url: string;
  width: number | null;
  height: number | null;
  tags: string[];
  keepMetadata: boolean;
  thumbnailUrl: string | null;
  dominantColor: string | null;
  frames: number;
  takenAt: string | null;
  camera: string | null;
  location: { latitude: number; longitude: number } | null;
}

export interface Chapter {
  start: number;
  end: number;
  title: string;
}

export interface Caption {
  name: string;
  lang: string | null;
  label: string | null;
  default: boolean;
  uploaded: boolean;
  url: string;
}

export interface Video extends Common, Rules {
  type: 'video';
  status: 'processing' | 'ready' | 'error';
  progress: number | null;
  error: string | null;
  note: string | null;
  durationSeconds: number | null;
  width: number | null;
  height: number | null;
  frameRate: number | null;
  hdr: string | null;
  playbackUrl: string | null;
  mp4Url: string | null;
  thumbnailUrl: string | null;
  embedUrl: string;
  renditions: { name: string; width: number; height: number; bitrate: number; averageBitrate: number; codecs: string }[];
  soundTracks: { name: string; lang: string | null; label: string | null; channels: number }[];
  captions: Caption[];
  chapters: Chapter[];
  tags: string[];
}

export interface Sound extends Common, Rules {
  type: 'audio';
  url: string;
  thumbnailUrl: string;
  durationSeconds: number | null;
  bitrate: number | null;
  codec: string | null;
  channels: number | null;
  sampleRate: number | null;
  tags: { title: string | null; artist: string | null; album: string | null; genre: string | null; track: number | null; year: number | null; chapters: Chapter[] };
  labels: string[];
  loudness: { integrated: number; truePeak: number } | null;
  waveformUrl: string | null;
  normalizedUrl: string | null;
  normalization: { status: 'processing' | 'ready' | 'failed'; targetLufs: number; sizeBytes: number | null } | null;
  embedUrl: string;
}

export interface Doc extends Common {
  type: 'doc';
  title: string;
  format: 'markdown' | 'typst' | 'pdf';
  wordCount: number;
  imageCount: number;
  tags: string[];
  relativePath: string | null;
  pages?: number | null;
  url?: string;
  thumbnailUrl?: string | null;
}

export type Item = Picture | Video | Sound | Doc;

export const family = { image: 'images', video: 'videos', audio: 'audio', doc: 'docs' } as const;

/** Where the API has it. */
export const at = (m: Pick<Item, 'type' | 'id'>): string => `/v1/${family[m.type]}/${m.id}`;

/** What its owner calls it by. */
export const tagsOf = (m: Item): string[] => (m.type === 'audio' ? m.labels : m.tags);

/** How many tags it may have, and how long they may be. */
export const tagLimits = (m: Item): { most: number; long: number } => (m.type === 'image' ? { most: 50, long: 64 } : m.type === 'audio' ? { most: 50, long: 64 } : { most: 10, long: 32 });

/** Whether everybody may open it, on any page. */
export const open = (m: Item): boolean => m.isPublic && (m.type === 'doc' || (!m.requireSignature && m.allowedReferers === null));

export const nameOf = (m: Item): string => m.title || m.filename;
