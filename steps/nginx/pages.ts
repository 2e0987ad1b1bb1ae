/** What people see while nothing answers behind nginx: before the platform is installed, or when it is down. */
export const notAnswering = `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><title>The platform does not answer</title></head>
<body>
<h1>The ground is laid</h1>
<p>This server answers for this name, and the way here is right. The platform behind it does not answer: it is not
installed yet, it is starting, or it has stopped.</p>
</body>
</html>
`;
