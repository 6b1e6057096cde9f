console.log(`the nightly report of ${process.env.GREETING ?? 'nobody'}`);
