BEGIN TRANSACTION;
CREATE TABLE alembic_version (
	version_num VARCHAR(32) NOT NULL, 
	CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);
INSERT INTO "alembic_version" VALUES('0001');
CREATE TABLE audit (
	id INTEGER NOT NULL, 
	at DOUBLE NOT NULL, 
	who VARCHAR(80) NOT NULL, 
	address VARCHAR(60) NOT NULL, 
	action VARCHAR(40) NOT NULL, 
	subject VARCHAR(200) NOT NULL, 
	CONSTRAINT pk_audit PRIMARY KEY (id)
);
INSERT INTO "audit" VALUES(1,1.79607274898051619532e+09,'1','127.0.0.1','submit','3e049449b9fb7009');
INSERT INTO "audit" VALUES(2,1.79607274899138116839e+09,'1','','submit','7b6821d80293f8ff');
CREATE TABLE blobs (
	hash VARCHAR(64) NOT NULL, 
	content BLOB NOT NULL, 
	CONSTRAINT pk_blobs PRIMARY KEY (hash)
);
INSERT INTO "blobs" VALUES('69c9f155f839fc39b11c98effd862b3c0b138864b4592c20b44fb0e2cc78fb0e',X'504B030414000000080000002100EED1DFDE09000000120000000D0000007365637265742D312E6A736F6E8B36D451304046B100504B030414000000080000002100DBFB76C40C000000120000000D0000007365637265742D322E6A736F6E8B36D05130D4513080A35800504B0304140000000800000021009830D0430B000000120000000D0000007365637265742D332E6A736F6E8B36D451002203388A0500504B0304140000000800000021006DC5F7980C000000120000000D0000007365637265742D342E6A736F6E8B36D051002243300942B100504B0304140000000800000021002E0E511F0D000000120000000D0000007365637265742D352E6A736F6E8B36D45130D051809020140B00504B0304140000000800000021001B24F8050C000000120000000D0000007365637265742D362E6A736F6E8B36D05130042303088A0500504B0102140314000000080000002100EED1DFDE09000000120000000D00000000000000000000008001000000007365637265742D312E6A736F6E504B0102140314000000080000002100DBFB76C40C000000120000000D00000000000000000000008001340000007365637265742D322E6A736F6E504B01021403140000000800000021009830D0430B000000120000000D000000000000000000000080016B0000007365637265742D332E6A736F6E504B01021403140000000800000021006DC5F7980C000000120000000D00000000000000000000008001A10000007365637265742D342E6A736F6E504B01021403140000000800000021002E0E511F0D000000120000000D00000000000000000000008001D80000007365637265742D352E6A736F6E504B01021403140000000800000021001B24F8050C000000120000000D00000000000000000000008001100100007365637265742D362E6A736F6E504B0506000000000600060062010000470100000000');
INSERT INTO "blobs" VALUES('f19abbdeb51e76956e71107da78246db5439afdc624ca3989af36344f1dc3b5d',X'504B030414000000080000002100C4BDA2178E000000DC00000009000000706F6C6963792E7079658DB10AC3301043777FC591C986103A17BAF40B0A194B07632BD4609F83CF49E9DF376EBD55DB49A727B5949C686381AD93CB05D39A63706F0A69CDA5D2ED7759A1AB158C34432464562E5A919EEA1699B3A2436C13E84203DC330F5FC76321A9B6542D88CB487BC06B24017CAF3415D4AD30CDDA74F2ACFB527F6A140F173C3AE600F03F20709B01DF4F0FA33E504B0102140314000000080000002100C4BDA2178E000000DC000000090000000000000000000000800100000000706F6C6963792E7079504B0506000000000100010037000000B50000000000');
CREATE TABLE boards (
	track INTEGER NOT NULL, 
	changed INTEGER NOT NULL, 
	made DOUBLE NOT NULL, 
	body TEXT NOT NULL, 
	CONSTRAINT pk_boards PRIMARY KEY (track), 
	CONSTRAINT fk_boards_track FOREIGN KEY(track) REFERENCES tracks (id)
);
INSERT INTO "boards" VALUES(1,2,1.79607274911497569085e+09,'{"objective": {"name": "wrong answers", "unit": "", "minimise": true}, "instances": {"public": 3, "private": 3}, "rows": [{"id": "3e049449b9fb7009", "who": "Ada", "name": "echo", "role": "challenger", "kind": "policy", "bytes": 258, "created": 1796072748.9805162, "tries": 1, "public": {"value": 0.27, "order": 0, "versus": {"ratio": null, "difference": {"point": -0.09999999999999998, "low": null, "high": null}, "gap": null, "p": null, "better": 1.0, "losses": 0, "worst": -0.09999999999999998, "method": "3 groups, too few for an interval over groups; p_better resamples series and seeds inside and speaks for these groups alone", "incumbent": "zero"}, "rank": 1}, "private": {"value": 0.28, "order": 0, "versus": {"ratio": null, "difference": {"point": -0.09999999999999998, "low": null, "high": null}, "gap": null, "p": null, "better": 1.0, "losses": 0, "worst": -0.09999999999999998, "method": "3 groups, too few for an interval over groups; p_better resamples series and seeds inside and speaks for these groups alone", "incumbent": "zero"}, "rank": 1}, "failed": {"public": 0, "private": 0}, "decide_ns": null, "wall_s": 0.0, "cpu_s": 0.0, "start_s": 0.0}, {"id": "a308e32e83d3973c", "who": "", "name": "zero", "role": "incumbent", "kind": "contender", "bytes": 0, "created": 1796072748.9393597, "tries": 1, "public": {"value": 0.36999999999999994, "order": 1, "versus": null, "rank": 2}, "private": {"value": 0.37999999999999995, "order": 1, "versus": null, "rank": 2}, "failed": {"public": 0, "private": 0}, "decide_ns": null, "wall_s": 0.0, "cpu_s": 0.0, "start_s": 0.0}], "history": [{"at": 1796072748.9805162, "who": "Ada", "name": "echo", "value": 0.27, "id": "3e049449b9fb7009"}], "beaten": [], "anytime": {}}');
CREATE TABLE instances (
	track INTEGER NOT NULL, 
	number INTEGER NOT NULL, 
	name VARCHAR(200) NOT NULL, 
	part VARCHAR(10) NOT NULL, 
	weight DOUBLE NOT NULL, 
	CONSTRAINT pk_instances PRIMARY KEY (track, number), 
	CONSTRAINT fk_instances_track FOREIGN KEY(track) REFERENCES tracks (id)
);
INSERT INTO "instances" VALUES(1,0,'secret-1','public',1.0);
INSERT INTO "instances" VALUES(1,1,'secret-2','public',1.0);
INSERT INTO "instances" VALUES(1,2,'secret-3','private',1.0);
INSERT INTO "instances" VALUES(1,3,'secret-4','private',1.0);
INSERT INTO "instances" VALUES(1,4,'secret-5','private',1.0);
INSERT INTO "instances" VALUES(1,5,'secret-6','public',1.0);
CREATE TABLE invitations (
	id INTEGER NOT NULL, 
	hash VARCHAR(64) NOT NULL, 
	role VARCHAR(20) NOT NULL, 
	track INTEGER, 
	"left" INTEGER NOT NULL, 
	expires DOUBLE NOT NULL, 
	created DOUBLE NOT NULL, 
	CONSTRAINT pk_invitations PRIMARY KEY (id), 
	CONSTRAINT fk_invitations_track FOREIGN KEY(track) REFERENCES tracks (id), 
	CONSTRAINT uq_invitations_hash UNIQUE (hash)
);
INSERT INTO "invitations" VALUES(1,'5a5eca67f25a80191c8e74ddf1ba6dcffc49b65a299fe9257b56ed90d8c8237a','participant',1,1,1.79728234897221040722e+09,1.79607274897221040731e+09);
CREATE TABLE jobs (
	submission VARCHAR(24) NOT NULL, 
	state VARCHAR(10) NOT NULL, 
	created DOUBLE NOT NULL, 
	attempts INTEGER NOT NULL, 
	lease VARCHAR(32), 
	until DOUBLE NOT NULL, 
	worker VARCHAR(120) NOT NULL, 
	CONSTRAINT pk_jobs PRIMARY KEY (submission), 
	CONSTRAINT fk_jobs_submission FOREIGN KEY(submission) REFERENCES submissions (id)
);
INSERT INTO "jobs" VALUES('a308e32e83d3973c','done',1.79607274893935966487e+09,1,NULL,1.79607280899500894549e+09,'w');
INSERT INTO "jobs" VALUES('3e049449b9fb7009','done',1.79607274898051619532e+09,1,NULL,1.7960728090267477036e+09,'w');
INSERT INTO "jobs" VALUES('7b6821d80293f8ff','queued',1.79607274899138116839e+09,0,NULL,1.7960727490451653004e+09,'w');
CREATE TABLE members (
	track INTEGER NOT NULL, 
	user INTEGER NOT NULL, 
	CONSTRAINT pk_members PRIMARY KEY (track, user), 
	CONSTRAINT fk_members_track FOREIGN KEY(track) REFERENCES tracks (id), 
	CONSTRAINT fk_members_user FOREIGN KEY(user) REFERENCES users (id)
);
INSERT INTO "members" VALUES(1,1);
CREATE TABLE scores (
	submission VARCHAR(24) NOT NULL, 
	number INTEGER NOT NULL, 
	seed INTEGER NOT NULL, 
	"key" VARCHAR(64) NOT NULL, 
	status VARCHAR(10) NOT NULL, 
	value DOUBLE NOT NULL, 
	run TEXT NOT NULL, 
	answer BLOB, 
	CONSTRAINT pk_scores PRIMARY KEY (submission, number, seed), 
	CONSTRAINT fk_scores_submission FOREIGN KEY(submission) REFERENCES submissions (id)
);
INSERT INTO "scores" VALUES('a308e32e83d3973c',0,0,'a308e32e83d3973c000000000000000000000000000000000000000000000000','ok',0.35,'{"key": "a308e32e83d3973c000000000000000000000000000000000000000000000000", "task": "tiny-v0", "contender": "zero", "role": "incumbent", "instance": "s0", "group": "s0", "split": "test", "level": null, "series": "s0", "weight": 1.0, "seed": 0, "artefact": null, "job": {"contender": "zero"}, "provenance": {}, "outcome": {"value": 0.35, "status": "ok", "decisions": 0, "start_s": 0.0, "decide_s": null, "learn_s": 0.0, "wall_s": 0.0, "cpu_s": 0.0, "metrics": {}, "progress": [], "message": ""}}',X'00FF');
INSERT INTO "scores" VALUES('a308e32e83d3973c',1,0,'a308e32e83d3973c000000000000000000000000000000000000000000000001','ok',0.36,'{"key": "a308e32e83d3973c000000000000000000000000000000000000000000000001", "task": "tiny-v0", "contender": "zero", "role": "incumbent", "instance": "s1", "group": "s1", "split": "test", "level": null, "series": "s1", "weight": 1.0, "seed": 0, "artefact": null, "job": {"contender": "zero"}, "provenance": {}, "outcome": {"value": 0.36, "status": "ok", "decisions": 0, "start_s": 0.0, "decide_s": null, "learn_s": 0.0, "wall_s": 0.0, "cpu_s": 0.0, "metrics": {}, "progress": [], "message": ""}}',X'00FF');
INSERT INTO "scores" VALUES('a308e32e83d3973c',2,0,'a308e32e83d3973c000000000000000000000000000000000000000000000002','ok',0.37,'{"key": "a308e32e83d3973c000000000000000000000000000000000000000000000002", "task": "tiny-v0", "contender": "zero", "role": "incumbent", "instance": "s2", "group": "s2", "split": "test", "level": null, "series": "s2", "weight": 1.0, "seed": 0, "artefact": null, "job": {"contender": "zero"}, "provenance": {}, "outcome": {"value": 0.37, "status": "ok", "decisions": 0, "start_s": 0.0, "decide_s": null, "learn_s": 0.0, "wall_s": 0.0, "cpu_s": 0.0, "metrics": {}, "progress": [], "message": ""}}',X'00FF');
INSERT INTO "scores" VALUES('a308e32e83d3973c',3,0,'a308e32e83d3973c000000000000000000000000000000000000000000000003','ok',0.38,'{"key": "a308e32e83d3973c000000000000000000000000000000000000000000000003", "task": "tiny-v0", "contender": "zero", "role": "incumbent", "instance": "s3", "group": "s3", "split": "test", "level": null, "series": "s3", "weight": 1.0, "seed": 0, "artefact": null, "job": {"contender": "zero"}, "provenance": {}, "outcome": {"value": 0.38, "status": "ok", "decisions": 0, "start_s": 0.0, "decide_s": null, "learn_s": 0.0, "wall_s": 0.0, "cpu_s": 0.0, "metrics": {}, "progress": [], "message": ""}}',X'00FF');
INSERT INTO "scores" VALUES('a308e32e83d3973c',4,0,'a308e32e83d3973c000000000000000000000000000000000000000000000004','ok',3.89999999999999957811e-01,'{"key": "a308e32e83d3973c000000000000000000000000000000000000000000000004", "task": "tiny-v0", "contender": "zero", "role": "incumbent", "instance": "s4", "group": "s4", "split": "test", "level": null, "series": "s4", "weight": 1.0, "seed": 0, "artefact": null, "job": {"contender": "zero"}, "provenance": {}, "outcome": {"value": 0.38999999999999996, "status": "ok", "decisions": 0, "start_s": 0.0, "decide_s": null, "learn_s": 0.0, "wall_s": 0.0, "cpu_s": 0.0, "metrics": {}, "progress": [], "message": ""}}',X'00FF');
INSERT INTO "scores" VALUES('a308e32e83d3973c',5,0,'a308e32e83d3973c000000000000000000000000000000000000000000000005','ok',3.99999999999999966693e-01,'{"key": "a308e32e83d3973c000000000000000000000000000000000000000000000005", "task": "tiny-v0", "contender": "zero", "role": "incumbent", "instance": "s5", "group": "s5", "split": "test", "level": null, "series": "s5", "weight": 1.0, "seed": 0, "artefact": null, "job": {"contender": "zero"}, "provenance": {}, "outcome": {"value": 0.39999999999999997, "status": "ok", "decisions": 0, "start_s": 0.0, "decide_s": null, "learn_s": 0.0, "wall_s": 0.0, "cpu_s": 0.0, "metrics": {}, "progress": [], "message": ""}}',X'00FF');
INSERT INTO "scores" VALUES('3e049449b9fb7009',0,0,'3e049449b9fb7009000000000000000000000000000000000000000000000000','ok',0.25,'{"key": "3e049449b9fb7009000000000000000000000000000000000000000000000000", "task": "tiny-v0", "contender": "echo", "role": "challenger", "instance": "s0", "group": "s0", "split": "test", "level": null, "series": "s0", "weight": 1.0, "seed": 0, "artefact": null, "job": {"contender": "echo"}, "provenance": {}, "outcome": {"value": 0.25, "status": "ok", "decisions": 0, "start_s": 0.0, "decide_s": null, "learn_s": 0.0, "wall_s": 0.0, "cpu_s": 0.0, "metrics": {}, "progress": [], "message": ""}}',X'00FF');
INSERT INTO "scores" VALUES('3e049449b9fb7009',1,0,'3e049449b9fb7009000000000000000000000000000000000000000000000001','ok',0.26,'{"key": "3e049449b9fb7009000000000000000000000000000000000000000000000001", "task": "tiny-v0", "contender": "echo", "role": "challenger", "instance": "s1", "group": "s1", "split": "test", "level": null, "series": "s1", "weight": 1.0, "seed": 0, "artefact": null, "job": {"contender": "echo"}, "provenance": {}, "outcome": {"value": 0.26, "status": "ok", "decisions": 0, "start_s": 0.0, "decide_s": null, "learn_s": 0.0, "wall_s": 0.0, "cpu_s": 0.0, "metrics": {}, "progress": [], "message": ""}}',X'00FF');
INSERT INTO "scores" VALUES('3e049449b9fb7009',2,0,'3e049449b9fb7009000000000000000000000000000000000000000000000002','ok',0.27,'{"key": "3e049449b9fb7009000000000000000000000000000000000000000000000002", "task": "tiny-v0", "contender": "echo", "role": "challenger", "instance": "s2", "group": "s2", "split": "test", "level": null, "series": "s2", "weight": 1.0, "seed": 0, "artefact": null, "job": {"contender": "echo"}, "provenance": {}, "outcome": {"value": 0.27, "status": "ok", "decisions": 0, "start_s": 0.0, "decide_s": null, "learn_s": 0.0, "wall_s": 0.0, "cpu_s": 0.0, "metrics": {}, "progress": [], "message": ""}}',X'00FF');
INSERT INTO "scores" VALUES('3e049449b9fb7009',3,0,'3e049449b9fb7009000000000000000000000000000000000000000000000003','ok',0.28,'{"key": "3e049449b9fb7009000000000000000000000000000000000000000000000003", "task": "tiny-v0", "contender": "echo", "role": "challenger", "instance": "s3", "group": "s3", "split": "test", "level": null, "series": "s3", "weight": 1.0, "seed": 0, "artefact": null, "job": {"contender": "echo"}, "provenance": {}, "outcome": {"value": 0.28, "status": "ok", "decisions": 0, "start_s": 0.0, "decide_s": null, "learn_s": 0.0, "wall_s": 0.0, "cpu_s": 0.0, "metrics": {}, "progress": [], "message": ""}}',X'00FF');
INSERT INTO "scores" VALUES('3e049449b9fb7009',4,0,'3e049449b9fb7009000000000000000000000000000000000000000000000004','ok',0.29,'{"key": "3e049449b9fb7009000000000000000000000000000000000000000000000004", "task": "tiny-v0", "contender": "echo", "role": "challenger", "instance": "s4", "group": "s4", "split": "test", "level": null, "series": "s4", "weight": 1.0, "seed": 0, "artefact": null, "job": {"contender": "echo"}, "provenance": {}, "outcome": {"value": 0.29, "status": "ok", "decisions": 0, "start_s": 0.0, "decide_s": null, "learn_s": 0.0, "wall_s": 0.0, "cpu_s": 0.0, "metrics": {}, "progress": [], "message": ""}}',X'00FF');
INSERT INTO "scores" VALUES('3e049449b9fb7009',5,0,'3e049449b9fb7009000000000000000000000000000000000000000000000005','ok',0.3,'{"key": "3e049449b9fb7009000000000000000000000000000000000000000000000005", "task": "tiny-v0", "contender": "echo", "role": "challenger", "instance": "s5", "group": "s5", "split": "test", "level": null, "series": "s5", "weight": 1.0, "seed": 0, "artefact": null, "job": {"contender": "echo"}, "provenance": {}, "outcome": {"value": 0.3, "status": "ok", "decisions": 0, "start_s": 0.0, "decide_s": null, "learn_s": 0.0, "wall_s": 0.0, "cpu_s": 0.0, "metrics": {}, "progress": [], "message": ""}}',X'00FF');
CREATE TABLE settings (
	"key" VARCHAR(40) NOT NULL, 
	value TEXT NOT NULL, 
	CONSTRAINT pk_settings PRIMARY KEY ("key")
);
INSERT INTO "settings" VALUES('secret','fed37a70bcb971370006d05931d938660ad724de94b839c65fb543f3b503a222');
CREATE TABLE submissions (
	id VARCHAR(24) NOT NULL, 
	track INTEGER NOT NULL, 
	user INTEGER, 
	name VARCHAR(80) NOT NULL, 
	role VARCHAR(20) NOT NULL, 
	kind VARCHAR(20) NOT NULL, 
	content VARCHAR(64), 
	bytes INTEGER NOT NULL, 
	created DOUBLE NOT NULL, 
	state VARCHAR(10) NOT NULL, 
	reason TEXT NOT NULL, 
	scored DOUBLE, 
	CONSTRAINT pk_submissions PRIMARY KEY (id), 
	CONSTRAINT fk_submissions_content FOREIGN KEY(content) REFERENCES blobs (hash), 
	CONSTRAINT fk_submissions_track FOREIGN KEY(track) REFERENCES tracks (id), 
	CONSTRAINT fk_submissions_user FOREIGN KEY(user) REFERENCES users (id)
);
INSERT INTO "submissions" VALUES('a308e32e83d3973c',1,NULL,'zero','incumbent','contender',NULL,0,1.79607274893935966487e+09,'scored','',1.79607274901097488406e+09);
INSERT INTO "submissions" VALUES('3e049449b9fb7009',1,1,'echo','challenger','policy','f19abbdeb51e76956e71107da78246db5439afdc624ca3989af36344f1dc3b5d',258,1.79607274898051619532e+09,'scored','',1.79607274903020691873e+09);
INSERT INTO "submissions" VALUES('7b6821d80293f8ff',1,1,'waits','challenger','policy','f19abbdeb51e76956e71107da78246db5439afdc624ca3989af36344f1dc3b5d',258,1.79607274899138116839e+09,'queued','',NULL);
CREATE TABLE tokens (
	id INTEGER NOT NULL, 
	user INTEGER NOT NULL, 
	hash VARCHAR(64) NOT NULL, 
	label VARCHAR(60) NOT NULL, 
	created DOUBLE NOT NULL, 
	CONSTRAINT pk_tokens PRIMARY KEY (id), 
	CONSTRAINT fk_tokens_user FOREIGN KEY(user) REFERENCES users (id), 
	CONSTRAINT uq_tokens_hash UNIQUE (hash)
);
INSERT INTO "tokens" VALUES(1,1,'4f7eebabb47c6a8890b14bc78e4ca0e3ac4aac30fbcb5febff9fbed08bcfc795','laptop',1.79607274896588730815e+09);
CREATE TABLE tracks (
	id INTEGER NOT NULL, 
	slug VARCHAR(40) NOT NULL, 
	spec TEXT NOT NULL, 
	data VARCHAR(64), 
	changed INTEGER NOT NULL, 
	created DOUBLE NOT NULL, 
	CONSTRAINT pk_tracks PRIMARY KEY (id), 
	CONSTRAINT fk_tracks_data FOREIGN KEY(data) REFERENCES blobs (hash), 
	CONSTRAINT uq_tracks_slug UNIQUE (slug)
);
INSERT INTO "tracks" VALUES(1,'tiny','{"slug":"tiny","title":"Guess","text":"","task":"tests.arena.tiny:Tiny","options":{},"folder":"given","seed":null,"suite":null,"split":"test","private_share":0.5,"takes":["policy"],"wall_s":60.0,"answer_s":10.0,"memory":536870912,"seeds":1,"per_day":10,"starts":"2024-01-01T00:00:00Z","ends":"2090-01-01T00:00:00Z","open":true,"references":["zero"]}','69c9f155f839fc39b11c98effd862b3c0b138864b4592c20b44fb0e2cc78fb0e',2,1.79607274893935966487e+09);
CREATE TABLE users (
	id INTEGER NOT NULL, 
	name VARCHAR(40) NOT NULL, 
	name_key VARCHAR(80) NOT NULL, 
	password VARCHAR(200) NOT NULL, 
	role VARCHAR(20) NOT NULL, 
	epoch INTEGER NOT NULL, 
	created DOUBLE NOT NULL, 
	CONSTRAINT pk_users PRIMARY KEY (id), 
	CONSTRAINT uq_users_name_key UNIQUE (name_key)
);
INSERT INTO "users" VALUES(1,'Ada','ada','$argon2id$v=19$m=64,t=1,p=1$PxRYCujahr/5NSR+XmcfvA$H45c2FqFir89YK0TDZDLm8lrBHXv6PXgM5n/W5bmc9U','participant',0,1.79607274896301054951e+09);
CREATE INDEX ix_tokens_user ON tokens (user);
CREATE INDEX ix_submissions_track_user_created ON submissions (track, user, created);
CREATE INDEX ix_submissions_user ON submissions (user);
CREATE INDEX ix_jobs_state_until_created ON jobs (state, until, created);
CREATE INDEX ix_scores_key ON scores ("key");
COMMIT;
